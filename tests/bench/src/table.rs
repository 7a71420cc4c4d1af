//! Tables as Markdown has them, aligned so that they read well without it too.

use std::time::Duration;

/// Rows of cells under a heading.
#[derive(Debug, Clone, Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// With its headings.
    pub fn new<S: Into<String>>(headings: impl IntoIterator<Item = S>) -> Self {
        Self(vec![headings.into_iter().map(Into::into).collect()])
    }

    /// Adds a row.
    pub fn add<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.0.push(cells.into_iter().map(Into::into).collect());
    }

    /// As text, a line for each row.
    pub fn render(&self) -> String {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(|column| self.width(column)).collect();
        let mut text = String::new();
        for (index, row) in self.0.iter().enumerate() {
            text += &line(&widths, |column| row.get(column).cloned().unwrap_or_default());
            if index == 0 {
                text += &line(&widths, |column| "-".repeat(widths[column]));
            }
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    }
}

fn line(widths: &[usize], cell: impl Fn(usize) -> String) -> String {
    let cells: Vec<String> =
        widths.iter().enumerate().map(|(column, width)| format!(" {:width$} ", cell(column))).collect();
    format!("|{}|\n", cells.join("|"))
}

/// A duration in seconds or milliseconds, with three digits at most.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds >= 9.95 => format!("{seconds:.0} s"),
        seconds if seconds >= 0.995 => format!("{seconds:.1} s"),
        seconds if seconds >= 0.02 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}

/// A ratio.
pub fn times(ratio: f64) -> String {
    if ratio >= 9.95 { format!("{ratio:.0} ×") } else { format!("{ratio:.2} ×") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["work", "cluster"]);
        table.add(["3 tasks, 1 host", "0.2 s"]);
        table.add(["–"]);
        let expected = "| work            | cluster |\n| --------------- | ------- |\n| 3 tasks, 1 host | 0.2 s   |\n\
                        | –               |         |\n";
        assert_eq!(table.render(), expected);
    }

    #[test]
    fn durations_have_the_digits_that_matter() {
        let of = |milliseconds: f64| seconds(Duration::from_secs_f64(milliseconds / 1e3));
        assert_eq!([of(4.56), of(187.4), of(1540.0), of(31_900.0)], ["4.6 ms", "187 ms", "1.5 s", "32 s"]);
    }
}
