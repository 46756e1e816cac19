// Reads dashboards as Grafana's own types have them: a field that they do not know, or of another type, is told.
// In: files. Out: one line for each fault; status 1 where there is one.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	status := 0
	for _, file := range os.Args[1:] {
		// The types give an empty list of faults where there is none.
		if err := check(file); err != nil && err.Error() != "" {
			fmt.Printf("%s: %v\n", file, err)
			status = 1
		}
	}
	os.Exit(status)
}

func check(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	if err := read.UnmarshalJSONStrict(raw); err != nil && err.Error() != "" {
		return err
	}
	return read.Validate()
}
