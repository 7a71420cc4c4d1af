//! The command line as files: `tests/cmd/<command>/<case>.toml` holds the arguments, the exit code and what goes to standard
//! output and standard error, `tests/inputs/` the folders that they run in. `TRYCMD=overwrite cargo test -p cluster --test cmd`
//! writes the outputs anew; put `[..]` again where times stand. trycmd compares backslashes as slashes.

#[test]
fn command_line() {
    trycmd::TestCases::new()
        // Settings of whoever runs the tests must not show in what is compared.
        .env("ANSIBLE_INVENTORY", "")
        .env("ANSIBLE_VERBOSITY", "")
        .env("CLUSTER_LOG", "")
        .env("KUBECONFIG", "")
        .env("TERM", "dumb")
        .case("tests/cmd/*/*.toml");
}
