//! What devices, types and groups are, and what may be asked of them.

mod cursor;
mod device;
mod filter;
mod group;
mod kind;
mod line;
mod patch;
mod text;
mod told;

pub(crate) use device::{AccountState, Credential, Device, Location, MOST_TAGS, NewDevice, State};
pub(crate) use filter::{Filter, FilterParameters};
pub(crate) use group::{Group, NewGroup};
pub(crate) use kind::{Column, DeviceType, NewDeviceType, conflicts};
pub(crate) use line::{Columns, Line, LineError, parse_json_line};
pub(crate) use patch::DevicePatch;
pub(crate) use text::is_name;
pub(crate) use told::Told;
