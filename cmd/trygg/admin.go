package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// admin serves health and metrics, for the operator's network only. While only
// the store is away the program still helps, so it stays healthy and ready and
// says degraded: nothing may take help offline (S3).
func (s *service) admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	health := func(w http.ResponseWriter, r *http.Request) {
		status := "ok"
		if s.state.Degraded() {
			status = "degraded"
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]string{"status": status, "content": s.current().hash})
	}
	mux.HandleFunc("GET /healthz", health)
	mux.HandleFunc("GET /readyz", health)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "/healthz /readyz /metrics") })
	return mux
}
