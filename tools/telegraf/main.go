// Command telegraf is Telegraf's agent with what the benchmark of the IoT data path uses of it: MQTT in, JSON, InfluxDB out.
//
// Telegraf's own command brings every plugin or, with its build tags, still much of what they need. The
// agent, its configuration and the plugins are the same packages.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/influxdata/telegraf/agent"
	"github.com/influxdata/telegraf/config"
	_ "github.com/influxdata/telegraf/plugins/inputs/mqtt_consumer"
	_ "github.com/influxdata/telegraf/plugins/outputs/influxdb"
	_ "github.com/influxdata/telegraf/plugins/parsers/json_v2"
	_ "github.com/influxdata/telegraf/plugins/serializers/influx"
)

func run(path string) error {
	configuration := config.NewConfig()
	if err := configuration.LoadConfig(path); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return agent.NewAgent(configuration).Run(ctx)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "error: the configuration's path is missing\nhint: telegraf <telegraf.conf>")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
