-- What fields of InfluxDB hold, by the types as they are.
CREATE VIEW type_columns AS
    SELECT t.name AS type, coalesce(sensor.value ->> 'measurement', sensor.key) AS measurement,
           coalesce(field.value ->> 'stored_as', field.key) AS field, field.value ->> 'type' AS kind
    FROM device_types t, jsonb_each(t.sensors) AS sensor, jsonb_each(sensor.value -> 'fields') AS field;

-- And what they hold since a type had devices that was changed, or whose devices went over to another: InfluxDB never forgets.
CREATE TABLE past_columns (
    type        text NOT NULL,
    measurement text NOT NULL,
    field       text NOT NULL,
    kind        text NOT NULL,
    PRIMARY KEY (measurement, field)
);
