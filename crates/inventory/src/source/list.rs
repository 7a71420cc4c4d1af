//! `-i host1,host2,`: hosts on the command line (ansible-core 2.19, `plugins/inventory/host_list.py`).

use super::Reader;
use crate::address;
use crate::graph::{UNGROUPED, Variables};

/// Reads a list that holds a comma. Ranges are not expanded, as with Ansible's `host_list`.
pub(crate) fn read(text: &str, reader: &mut Reader<'_>) {
    let mut column = 1;
    for part in text.split(',') {
        let name = part.trim();
        if !name.is_empty() {
            let lead = part.chars().take_while(|character| character.is_whitespace()).count();
            let position = reader.origin.at(1, column + lead).with_length(name.chars().count());
            let (host, port) = address::parse(name).unwrap_or((name, None));
            reader.hosts(&[host.to_owned()], port, UNGROUPED, &Variables::new(), &position);
        }
        column += part.chars().count() + 1;
    }
}
