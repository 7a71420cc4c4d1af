//! Devices over MQTT 3.1.1.

crate::mqtt::over_mqtt!(rumqttc_v4, v4, set_clean_session, set_inflight);
