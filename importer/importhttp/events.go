package importhttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// heartbeat is how often a watcher hears something, so that what stands between
// keeps the connection.
const heartbeat = 15 * time.Second

// events tells how an import goes: "progress" events, and a "report" in the
// end. Each has the import's status as its data.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	st, j := h.find(w, r)
	if st.ID == "" {
		return
	}
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies must not wait for more
	w.WriteHeader(http.StatusOK)
	send := func(name string, st Status) bool {
		text, err := json.Marshal(st)
		if err != nil {
			return false
		}
		_ = control.SetWriteDeadline(time.Now().Add(heartbeat))
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for j != nil {
		now, moved := j.now()
		if st = now; st.State == StateDone {
			break
		}
		if !send("progress", st) {
			return
		}
		select {
		case <-moved:
		case <-j.over:
		case <-beat.C:
		case <-r.Context().Done():
			return
		}
	}
	send("report", st)
}
