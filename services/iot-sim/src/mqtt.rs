//! Devices over MQTT 5.

/// Both protocol versions by one text: the two crates' names are alike, their types are not.
macro_rules! over_mqtt {
    ($mqtt:ident, $version:ident, $clean:ident, $in_flight:ident) => {
        use crate::cli::Run;
        use crate::device::{Device, Receipt, Sending};
        use crate::pace::Pace;
        use crate::run::Shared;
        use futures::StreamExt;
        use futures::future::BoxFuture;
        use futures::stream::FuturesUnordered;
        use rand::RngExt;
        use std::collections::HashMap;
        use std::sync::Arc;
        use std::sync::atomic::Ordering::Relaxed;
        use std::time::Duration;
        use tokio::sync::mpsc;
        use $mqtt::mqttbytes::QoS;
        use $mqtt::mqttbytes::$version::Packet;
        use $mqtt::{AsyncClient, Event, EventLoop, MqttOptions, PublishOptions, TlsConfiguration, Transport};

        const TICK: Duration = Duration::from_millis(10);
        /// Messages that wait for the broker's answer. The library sets room aside for as many as it may be.
        const IN_FLIGHT: u16 = 256;

        enum Heard {
            Connected,
            Receipt(String, Vec<u8>),
            Lost(String),
        }

        /// A reading whose acknowledgement is awaited: device, number, and in the end whether the broker has it.
        type Acknowledgement = BoxFuture<'static, (String, u32, Answer)>;

        enum Answer {
            Taken,
            /// Taken, but nobody was subscribed.
            Unheard,
            None,
        }

        /// One connection that speaks for these devices, until all of them are done.
        pub async fn gateway(number: usize, devices: Vec<Device>, options: Arc<Run>, shared: Arc<Shared>, parts: usize) {
            let mut devices: HashMap<String, Device> = devices.into_iter().map(|device| (device.id.clone(), device)).collect();
            let mut pace = Pace::new(options.rate, parts);
            while !devices.values().all(Device::is_done) {
                let (client, events) = connect(number, &devices, &options, &shared);
                connection(client, events, &mut devices, &options, &shared, &mut pace).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }

        fn connect(number: usize, devices: &HashMap<String, Device>, options: &Run, shared: &Shared) -> (AsyncClient, EventLoop) {
            let (host, port) = options.mqtt.rsplit_once(':').unwrap_or((&options.mqtt, "1883"));
            let id = match devices.values().next() {
                Some(device) if devices.len() == 1 => device.id.clone(),
                _ => format!("{}-gateway-{number}", options.name),
            };
            let mut mqtt = MqttOptions::new(id, (host.to_owned(), port.parse().unwrap_or(1883)));
            mqtt.set_keep_alive(30).$clean(true).$in_flight(IN_FLIGHT);
            if let (Some(user), Some(password)) = (&options.mqtt_username, &options.mqtt_password) {
                mqtt.set_credentials(user.clone(), password.clone().into_bytes());
            } else if !options.anonymous
                && let Some(device) = devices.values().next()
            {
                mqtt.set_credentials(device.id.clone(), device.key.clone().into_bytes());
            }
            if let Some(ca) = shared.authority.clone() {
                mqtt.set_transport(Transport::Tls(TlsConfiguration::Simple { ca, alpn: None, client_auth: None }));
            }
            AsyncClient::builder(mqtt).capacity(1024).build()
        }

        async fn connection(
            client: AsyncClient,
            mut events: EventLoop,
            devices: &mut HashMap<String, Device>,
            options: &Run,
            shared: &Shared,
            pace: &mut Pace,
        ) {
            let (tell, mut heard) = mpsc::channel(1024);
            let poll = async move {
                loop {
                    let news = match events.poll().await {
                        Ok(Event::Incoming(Packet::ConnAck(_))) => Heard::Connected,
                        Ok(Event::Incoming(Packet::Publish(publish))) => {
                            let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                            Heard::Receipt(topic, publish.payload.to_vec())
                        }
                        Ok(_) => continue,
                        Err(error) => Heard::Lost(error.to_string()),
                    };
                    let lost = matches!(news, Heard::Lost(_));
                    if tell.send(news).await.is_err() || lost {
                        return;
                    }
                }
            };
            let poll = tokio::spawn(poll);
            let mut tick = tokio::time::interval(TICK);
            let mut connected = false;
            let mut answers: FuturesUnordered<Acknowledgement> = FuturesUnordered::new();
            loop {
                tokio::select! {
                    news = heard.recv() => match news {
                        Some(Heard::Connected) => {
                            connected = true;
                            shared.counts.connects.fetch_add(1, Relaxed);
                            if !options.no_receipts {
                                subscribe(&client, devices, options).await;
                            }
                        }
                        Some(Heard::Receipt(topic, payload)) => receive(devices, &topic, &payload),
                        Some(Heard::Lost(error)) => {
                            shared.trouble(error);
                            break;
                        }
                        None => break,
                    },
                    Some((id, seq, answer)) = answers.next(), if !answers.is_empty() => {
                        answered(devices, &id, seq, &answer, shared);
                    }
                    _ = tick.tick(), if connected => {
                        send(&client, devices, options, pace, &answers);
                        if devices.values().all(Device::is_done) {
                            let _ = client.disconnect().await;
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            break;
                        }
                        if options.reconnects > 0.0 && rand::rng().random_bool(options.reconnects * TICK.as_secs_f64()) {
                            shared.counts.reconnects.fetch_add(1, Relaxed);
                            break;
                        }
                    }
                }
            }
            // With the connection's two ends gone every acknowledgement is decided: it came, or it never will.
            poll.abort();
            let _ = poll.await;
            drop(client);
            while let Some((id, seq, answer)) = answers.next().await {
                answered(devices, &id, seq, &answer, shared);
            }
        }

        async fn subscribe(client: &AsyncClient, devices: &HashMap<String, Device>, options: &Run) {
            for id in devices.keys() {
                let topic = format!("{}/devices/{id}/receipts", options.prefix);
                if client.subscribe(topic, QoS::AtLeastOnce).await.is_err() {
                    break;
                }
            }
        }

        fn receive(devices: &mut HashMap<String, Device>, topic: &str, payload: &[u8]) {
            let id = topic.strip_suffix("/receipts").and_then(|topic| topic.rsplit('/').next());
            if let (Some(device), Ok(receipt)) =
                (id.and_then(|id| devices.get_mut(id)), serde_json::from_slice::<Receipt>(payload))
            {
                device.receive(&receipt);
            }
        }

        fn answered(devices: &mut HashMap<String, Device>, id: &str, seq: u32, answer: &Answer, shared: &Shared) {
            let Some(device) = devices.get_mut(id) else { return };
            if matches!(answer, Answer::None) {
                return device.not_sent(Some(seq));
            }
            if matches!(answer, Answer::Unheard) {
                shared.counts.unheard.fetch_add(1, Relaxed);
            }
            device.acknowledged(seq);
        }

        fn send(
            client: &AsyncClient,
            devices: &mut HashMap<String, Device>,
            options: &Run,
            pace: &mut Pace,
            answers: &FuturesUnordered<Acknowledgement>,
        ) {
            for device in devices.values_mut() {
                let topic = format!("{}/sensors/{}/data", options.prefix, device.id);
                let mut sendings = device.repeats(options, 16);
                while sendings.len() < 64 && pace.take() {
                    let fresh = device.fresh(options);
                    if fresh.is_empty() {
                        pace.give_back();
                        break;
                    }
                    sendings.extend(fresh);
                }
                for sending in sendings {
                    publish(client, device, &topic, sending, options, answers);
                }
            }
        }

        fn publish(
            client: &AsyncClient,
            device: &mut Device,
            topic: &str,
            sending: Sending,
            options: &Run,
            answers: &FuturesUnordered<Acknowledgement>,
        ) {
            let quality = match options.qos {
                0 => QoS::AtMostOnce,
                1 => QoS::AtLeastOnce,
                _ => QoS::ExactlyOnce,
            };
            let how = PublishOptions::new(quality);
            let (true, Some(seq)) = (options.no_receipts, sending.seq) else {
                if client.try_publish(topic, sending.payload, how).is_err() {
                    device.not_sent(sending.seq);
                }
                return;
            };
            let Ok(notice) = client.try_publish_tracked(topic, sending.payload, how) else {
                return device.not_sent(Some(seq));
            };
            let id = device.id.clone();
            answers.push(Box::pin(async move {
                // Only MQTT 5 gives reasons; the other version's answer has none, and is always consent.
                let answer = match notice.wait_async().await.map(|result| format!("{result:?}")) {
                    Ok(text) if text.contains("NoMatchingSubscribers") => Answer::Unheard,
                    Ok(text) if text.contains("Success") || !text.contains("reason") => Answer::Taken,
                    _ => Answer::None,
                };
                (id, seq, answer)
            }));
        }
    };
}

pub(crate) use over_mqtt;

over_mqtt!(rumqttc, v5, set_clean_start, set_outgoing_inflight_upper_limit);
