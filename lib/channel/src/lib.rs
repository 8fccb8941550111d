//! Lock-free lanes between threads, with bounds, batches and counters
