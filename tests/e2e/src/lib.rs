//! e2e: shared parts of the tests.
