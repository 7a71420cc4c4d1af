-- When the broker was last told about a device, as long as a comparison may still hold what it saw before.
CREATE TABLE broker_told (
    device_id text COLLATE "C" PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    at        timestamptz NOT NULL
);
