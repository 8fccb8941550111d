//! Assembly: settings to a running node, real or simulated
