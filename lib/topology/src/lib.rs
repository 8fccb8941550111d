//! What this machine has and may use, and a plan for it with the reason for every choice
