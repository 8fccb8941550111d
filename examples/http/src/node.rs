//! The node: on every shard a store, a listener on the common port, and an HTTP server.

use std::net::SocketAddr;
use std::rc::Rc;

use corelane::http::{Options, Server};
use corelane::net::{ListenOptions, Listener};
use corelane::{LaunchError, LaunchOptions, Mesh, Running, launch};

use crate::routes::router;
use crate::store::Store;

/// Starts a node that listens on `addr` when this returns.
///
/// # Errors
/// What a shard could not do: most likely, listen on `addr`.
pub fn start(options: &LaunchOptions, addr: SocketAddr) -> Result<Running<Store>, LaunchError> {
    let init = async move |_shard| {
        let options = ListenOptions {
            // Each shard listens, and the kernel spreads the connections.
            reuse_port: true,
            ..ListenOptions::default()
        };
        let listener = Listener::bind(&addr.into(), &options);
        let listener = listener.map_err(|error| format!("cannot listen on {addr}: {error}"))?;
        Ok(Store::new(listener))
    };
    launch(options, init, serve)
}

/// Serves on one shard until the node stops.
async fn serve(mesh: Mesh<Store>) -> Result<(), String> {
    let counting = mesh.clone();
    let options = Options {
        observer: Some(Rc::new(move |served| {
            counting.try_with(|store| store.served(served.service_ns));
        })),
        ..Options::default()
    };
    let listener = mesh.with(|store| store.listener.take());
    let listener = listener.ok_or("the shard's listener was taken before")?;
    let routes = router(mesh.handle());
    Server::new(options)
        .serve(listener, routes, mesh.stopping())
        .await;
    Ok(())
}
