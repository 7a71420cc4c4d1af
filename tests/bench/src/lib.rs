//! bench: shared parts of the tests.
