//! Placeholder until the runtime's files land.
pub(crate) async fn read_to_vec(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}
pub(crate) async fn write_atomic(path: &std::path::Path, bytes: Vec<u8>) -> std::io::Result<()> {
    std::fs::write(path, bytes)
}
