//! The worker: the sensors that belong to it, and what it has found in their readings.

use std::collections::HashMap;

use corelane::worker::{Envelope, Handled, Worker, WorkerCx};

use crate::series::{Series, Verdict};
use crate::source::Reading;

/// A worker of the pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processor;

/// What a worker is told.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// A sensor has read something.
    Process(Reading),
    /// What have you found?
    Report,
}

/// What a worker has found, or, added up, a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Sensors it has heard of.
    pub sensors: u64,
    /// Readings as expected.
    pub normal: u64,
    /// Readings far from what their sensor had said before.
    pub outliers: u64,
    /// Readings that came twice or too late.
    pub out_of_order: u64,
}

/// One worker's state.
#[derive(Debug, Default)]
pub struct Sensors {
    series: HashMap<u32, Series>,
    report: Report,
}

impl Sensors {
    fn process(&mut self, reading: Reading) {
        let series = self.series.entry(reading.sensor).or_default();
        let count = match series.take(reading.number, reading.value) {
            Verdict::Normal => &mut self.report.normal,
            Verdict::Outlier => &mut self.report.outliers,
            Verdict::OutOfOrder => &mut self.report.out_of_order,
        };
        *count += 1;
    }
}

impl Worker for Processor {
    type State = Sensors;
    type Message = Work;
    type Reply = Report;

    async fn init(&self, _cx: WorkerCx<Self>) -> Result<Sensors, String> {
        Ok(Sensors::default())
    }

    fn handle_message(&self, sensors: &mut Sensors, work: Envelope<Work>) -> Handled<Self> {
        match work.into_inner() {
            Work::Process(reading) => sensors.process(reading),
            Work::Report => sensors.report.sensors = sensors.series.len() as u64,
        }
        Ok(sensors.report)
    }
}

impl std::iter::Sum for Report {
    fn sum<I: Iterator<Item = Self>>(reports: I) -> Self {
        reports.fold(Self::default(), |sum, report| Self {
            sensors: sum.sensors + report.sensors,
            normal: sum.normal + report.normal,
            outliers: sum.outliers + report.outliers,
            out_of_order: sum.out_of_order + report.out_of_order,
        })
    }
}
