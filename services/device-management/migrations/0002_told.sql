-- When the broker was last told about a device, as long as a comparison may still hold what it saw before. It refers to no device: that would
-- lock the device's row after the outbox's, and the HTTP interface locks them the other way round. Devices are never deleted.
CREATE TABLE broker_told (
    device_id text COLLATE "C" PRIMARY KEY,
    at        timestamptz NOT NULL
);
