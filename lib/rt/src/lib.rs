//! One thread's world: executor, sockets, files, timers; real or simulated
