//! Workload generator and latency recorder
