package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"catalog/catalog"
)

const (
	// rejectsPrefix is the prefix of the names under which the rejects of an
	// import are kept as Meta of the store, as long as its report.
	rejectsPrefix = "rejects/"
	// keptRejects is how many rejects with a key are kept of an import.
	keptRejects = 1000
	// keptDetail is how much is kept of what is wrong, in bytes.
	keptDetail = 300
)

// Rejection is a record that an import rejected, and when.
type Rejection struct {
	Import  string // ID of its report
	Source  string
	Started time.Time
	Reject  // without the record
}

// rejections is what is kept of an import.
type rejections struct {
	Kind    string    `json:"kind"`
	Source  string    `json:"source"`
	Started time.Time `json:"started"`
	Rejects []Reject  `json:"rejects"`
}

// remember keeps a reject for those who will ask why a product is not there.
func (a *account) remember(x *Reject) {
	if x.Key == "" || len(a.rejected) >= keptRejects {
		return
	}
	r := *x
	r.Record = nil
	if len(r.Detail) > keptDetail {
		r.Detail = strings.ToValidUTF8(r.Detail[:keptDetail], "") + "…"
	}
	a.rejected = append(a.rejected, r)
}

// keepRejects keeps what the account remembers beside the report.
func keepRejects(ctx context.Context, s catalog.Store, rep *Report, rejects []Reject) error {
	if len(rejects) == 0 {
		return nil
	}
	text, err := json.Marshal(rejections{Kind: rep.Kind, Source: rep.Source, Started: rep.Started, Rejects: rejects})
	if err != nil {
		return err
	}
	return s.SetMeta(ctx, rejectsPrefix+rep.ID, text)
}

// Rejections returns when and why imports rejected the record of kind k with
// that key, the newest first. Of each import the first 1,000 rejects that had
// a key are known, as long as its report is kept.
func Rejections(ctx context.Context, s catalog.Store, k catalog.Kind, key catalog.Key) ([]Rejection, error) {
	var found []Rejection
	for e, err := range s.Metas(ctx, rejectsPrefix) {
		if err != nil {
			return nil, err
		}
		id := strings.TrimPrefix(e.Name, rejectsPrefix)
		var kept rejections
		if err := json.Unmarshal(e.Value, &kept); err != nil {
			return nil, fmt.Errorf("importer: rejects of %s: %w", id, err)
		}
		if kept.Kind != k.Plural() {
			continue
		}
		for _, r := range kept.Rejects {
			if r.Key == string(key) {
				found = append(found, Rejection{Import: id, Source: kept.Source, Started: kept.Started, Reject: r})
			}
		}
	}
	slices.Reverse(found)
	return found, nil
}
