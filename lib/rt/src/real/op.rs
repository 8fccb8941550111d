//! One operation of the driver as a future. Dropping it asks the kernel to end the operation; what the
//! operation owns stays alive until it has.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use compio_buf::BufResult;
use compio_driver::{Key, OpCode, PushEntry};

use super::driver::RealDriver;

/// An operation that was pushed and whose result was not yet taken.
pub(crate) enum Flight<T: OpCode> {
    Flying(Key<T>),
    Landed(BufResult<usize, T>),
}

impl<T: OpCode + 'static> Flight<T> {
    pub(crate) fn push(driver: &RealDriver, op: T) -> Self {
        match driver.push(op) {
            PushEntry::Pending(key) => Flight::Flying(key),
            PushEntry::Ready(result) => Flight::Landed(result),
        }
    }

    /// The result, or the flight again; `cx` is woken when there is one.
    pub(crate) fn poll(
        self,
        driver: &RealDriver,
        cx: Option<&mut Context<'_>>,
    ) -> Result<BufResult<usize, T>, Self> {
        let key = match self {
            Flight::Landed(result) => return Ok(result),
            Flight::Flying(key) => key,
        };
        driver.with(|proactor| match proactor.pop(key) {
            PushEntry::Ready(result) => Ok(result),
            PushEntry::Pending(key) => {
                if let Some(cx) = cx {
                    proactor.update_waker(&key, cx.waker());
                }
                Err(Flight::Flying(key))
            }
        })
    }

    /// Asks the kernel to end it, and waits for the result as [`Flight::poll`] does. For operations that are
    /// cancelled and whose end matters.
    pub(crate) fn stop(
        self,
        driver: &RealDriver,
        cx: &mut Context<'_>,
    ) -> Result<BufResult<usize, T>, Self> {
        if let Flight::Flying(key) = &self {
            driver.stop(key);
        }
        self.poll(driver, Some(cx))
    }

    pub(crate) fn cancel(self, driver: &RealDriver) {
        if let Flight::Flying(key) = self {
            driver.cancel(key);
        }
    }
}

/// A [`Flight`] to be awaited.
pub(crate) struct OpFuture<T: OpCode + 'static> {
    driver: Rc<RealDriver>,
    flight: Option<Flight<T>>,
}

impl<T: OpCode + 'static> OpFuture<T> {
    pub(crate) fn push(driver: &Rc<RealDriver>, op: T) -> Self {
        OpFuture {
            driver: driver.clone(),
            flight: Some(Flight::push(driver, op)),
        }
    }
}

impl<T: OpCode + 'static> Unpin for OpFuture<T> {}

impl<T: OpCode + 'static> Future for OpFuture<T> {
    type Output = BufResult<usize, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let flight = self
            .flight
            .take()
            .expect("an operation was polled after its end");
        match flight.poll(&self.driver, Some(cx)) {
            Ok(result) => Poll::Ready(result),
            Err(flight) => {
                self.flight = Some(flight);
                Poll::Pending
            }
        }
    }
}

impl<T: OpCode + 'static> Drop for OpFuture<T> {
    fn drop(&mut self) {
        if let Some(flight) = self.flight.take() {
            flight.cancel(&self.driver);
        }
    }
}
