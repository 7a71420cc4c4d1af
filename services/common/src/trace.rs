//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>): which request of which caller a log line belongs to.

use rand::RngExt;
use std::fmt;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The trace that is being worked on, and our part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// A trace that begins here.
    pub fn new() -> Self {
        let mut random = rand::rng();
        // All-zero ids are invalid.
        Self { trace: random.random_range(1..=u128::MAX), span: random.random_range(1..=u64::MAX), flags: 1 }
    }

    /// Reads a `traceparent` header. Anything invalid is as good as none (section 3.2.2).
    pub fn parse(header: &str) -> Option<Self> {
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let future = version != "00";
        if version.len() != 2 || !hex(version) || version == "ff" || (!future && parts.next().is_some()) {
            return None;
        }
        if trace.len() != 32 || span.len() != 16 || flags.len() != 2 || !hex(trace) || !hex(span) || !hex(flags) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        Some(Self { trace, span, flags: u8::from_str_radix(flags, 16).ok()? & 1 })
    }

    /// Our own part of the caller's trace.
    pub fn child(self) -> Self {
        Self { span: rand::rng().random_range(1..=u64::MAX), ..self }
    }

    /// The trace of the task that asks, if it works on one. Its text is the `traceparent` for calls to others.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| *current).ok()
    }

    /// Runs `work` as part of this trace.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The trace's id, 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Our part's id, 16 hexadecimal digits.
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true)]
    #[case("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", true)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false)]
    #[case("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false)]
    #[case("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false)]
    #[case("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false)]
    fn headers(#[case] header: &str, #[case] valid: bool) {
        assert_eq!(TraceContext::parse(header).is_some(), valid);
    }

    proptest! {
        #[test]
        fn never_panics(header in "\\PC{0,80}") {
            let _ = TraceContext::parse(&header);
        }
    }

    #[test]
    fn a_context_comes_back() {
        let context = TraceContext::new();
        assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        assert_eq!(context.child().trace_id(), context.trace_id());
    }
}
