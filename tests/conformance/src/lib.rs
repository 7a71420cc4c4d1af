//! conformance: shared parts of the tests.
