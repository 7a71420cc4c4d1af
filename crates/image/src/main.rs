//! image: OCI images from static binaries.

fn main() -> std::process::ExitCode {
    image::main()
}
