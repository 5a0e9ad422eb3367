package record

import "github.com/hopquote/hopquote/rx/anomaly"

// Rewritten names the quoted fields that differ from what was sent.
func (r *Reply) Rewritten() []string { return (r.Anomalies & anomaly.Rewrites).Names() }
