-- Devices, their types, groups and credentials; what the broker still has to be told; what ingestion may read.

CREATE TABLE device_types (
    name        text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    description text NOT NULL DEFAULT '',
    sensors     jsonb NOT NULL,
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- Ids compare by bytes, so that pages have the same order under every locale.
CREATE TABLE devices (
    id          text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$'),
    type        text NOT NULL REFERENCES device_types (name),
    name        text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'maintenance', 'suspended', 'decommissioned')),
    location    text,
    room        text,
    zone        text,
    latitude    double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude   double precision CHECK (longitude BETWEEN -180 AND 180),
    tags        jsonb NOT NULL DEFAULT '{}',
    firmware    text,
    version     bigint NOT NULL DEFAULT 1,
    broker_lost boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX devices_type ON devices (type);
CREATE INDEX devices_tags ON devices USING gin (tags jsonb_path_ops);
CREATE INDEX devices_location ON devices (location, id) WHERE location IS NOT NULL;

-- Apart from `devices`, since it changes with every reading and the rest hardly ever.
CREATE TABLE device_seen (
    device_id text COLLATE "C" PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    last_seen timestamptz NOT NULL,
    firmware  text
) WITH (fillfactor = 70);

CREATE TABLE groups (
    name        text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    description text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE group_members (
    group_name text COLLATE "C" NOT NULL REFERENCES groups (name) ON DELETE CASCADE,
    device_id  text COLLATE "C" NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    PRIMARY KEY (group_name, device_id)
);
CREATE INDEX group_members_device ON group_members (device_id);

-- The SHA-256 of 256 random bits; one that is not revoked per device, since the broker knows one password per account.
CREATE TABLE credentials (
    id         uuid PRIMARY KEY,
    device_id  text COLLATE "C" NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE UNIQUE INDEX credentials_active ON credentials (device_id) WHERE revoked_at IS NULL;

-- Devices whose account at the broker is not known to be as it should. What it should be stands in the tables above; only a
-- key that was not handed over yet is here, sealed.
CREATE SEQUENCE broker_generation;
CREATE TABLE broker_outbox (
    device_id     text COLLATE "C" PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    generation    bigint NOT NULL DEFAULT nextval('broker_generation'),
    urgent        boolean NOT NULL DEFAULT false,
    credential_id uuid,
    sealed        bytea,
    attempts      integer NOT NULL DEFAULT 0,
    last_error    text,
    due_at        timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX broker_outbox_due ON broker_outbox (urgent DESC, generation);

-- What data-ingestion reads, and all that it may read.
CREATE VIEW ingest_types AS SELECT name, version, sensors FROM device_types;
CREATE VIEW ingest_devices AS
    SELECT d.id AS device_id, d.state, d.type AS device_type, t.version AS type_version, t.sensors,
           c.hash AS credential_hash, d.location, d.room, d.zone, coalesce(s.firmware, d.firmware) AS firmware
    FROM devices d
    JOIN device_types t ON t.name = d.type
    LEFT JOIN credentials c ON c.device_id = d.id AND c.revoked_at IS NULL
    LEFT JOIN device_seen s ON s.device_id = d.id;

-- Ingestion's only way to write: when devices were last heard of, in batches. Ids that are unknown are passed over.
CREATE FUNCTION ingest_seen(ids text[], times timestamptz[], firmwares text[] DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO device_seen AS seen (device_id, last_seen, firmware)
    SELECT heard.id, max(heard.at), max(heard.firmware)
    FROM unnest(ids, times, coalesce(firmwares, array_fill(NULL::text, ARRAY[cardinality(ids)]))) AS heard (id, at, firmware)
    JOIN devices d ON d.id = heard.id COLLATE "C"
    GROUP BY heard.id
    ORDER BY heard.id
    ON CONFLICT (device_id) DO UPDATE
        SET last_seen = greatest(seen.last_seen, excluded.last_seen), firmware = coalesce(excluded.firmware, seen.firmware)
$$;

-- `devices_changed` carries a device's id, `type:<name>`, or `*` when so much changed that everything is to be read again.
CREATE FUNCTION tell_devices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT 1 FROM changed LIMIT 101) AS several) > 100 THEN
        PERFORM pg_notify('devices_changed', '*');
    ELSE
        PERFORM pg_notify('devices_changed', changed.id) FROM changed;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION tell_credentials() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT 1 FROM changed LIMIT 101) AS several) > 100 THEN
        PERFORM pg_notify('devices_changed', '*');
    ELSE
        PERFORM pg_notify('devices_changed', changed.device_id) FROM changed;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION tell_type() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('devices_changed', 'type:' || coalesce(NEW.name, OLD.name));
    RETURN NULL;
END $$;
CREATE TRIGGER devices_inserted AFTER INSERT ON devices
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_devices();
CREATE TRIGGER devices_updated AFTER UPDATE ON devices
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_devices();
CREATE TRIGGER credentials_inserted AFTER INSERT ON credentials
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_credentials();
CREATE TRIGGER credentials_updated AFTER UPDATE ON credentials
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_credentials();
CREATE TRIGGER types_changed AFTER INSERT OR UPDATE OR DELETE ON device_types FOR EACH ROW EXECUTE FUNCTION tell_type();

-- The device of the original backend: radar, motion and gas.
INSERT INTO device_types (name, description, sensors) VALUES ('ESP32-S3', 'Presence radar, motion and gas', '{
  "ld2410": {"measurement": "ld2410_presence", "fields": {
    "presence": {"type": "boolean", "required": true, "stored_as": "presence_detected"},
    "distance": {"type": "number", "unit": "cm", "minimum": 0, "maximum": 600, "stored_as": "distance_cm"},
    "energy": {"type": "number", "minimum": 0, "maximum": 100, "stored_as": "detection_energy"}}},
  "pir": {"measurement": "pir_motion", "fields": {
    "motion_detected": {"type": "boolean", "required": true}}},
  "mq134": {"measurement": "mq134_gas", "fields": {
    "gas_concentration": {"type": "number", "required": true, "unit": "ppm", "accepts": {"ppb": 0.001}, "minimum": 0,
      "stored_as": "concentration_ppm"}}}
}');
