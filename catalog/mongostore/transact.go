package mongostore

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"catalog/catalog"
)

// snapshot is how all transactions read and write.
var snapshot = options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(writeconcern.Majority())

// transaction writes the outs of one part, together with their block of the log.
type transaction struct {
	store *Store
	outs  []out
	docs  []outDocs
	block block
	enc   *encoder
	buf   []byte
}

// outDocs are the documents of an out in the transaction's buffer; start and end
// are the same where there is none.
type outDocs struct {
	head, record span
}

type span struct{ start, end, seqAt int }

// newTransaction encodes all documents, but for their Seqs: whoever has
// reserved his Seqs should not keep those waiting who come after him.
func newTransaction(s *Store, b *batch, outs []out) *transaction {
	enc, ok := s.encoders.Get().(*encoder)
	if !ok {
		enc = new(encoder)
	}
	t := &transaction{store: s, outs: outs, docs: make([]outDocs, len(outs)), enc: enc, buf: enc.docs[:0]}
	for n := range outs {
		o, d := &outs[n], &t.docs[n]
		if !o.exists || !o.written {
			continue
		}
		w := &b.writes[o.last]
		if headsApart(o.kind) {
			d.head.start = len(t.buf)
			t.buf, d.head.seqAt = enc.head(t.buf, o.key, o.hash, o.source)
			d.head.end = len(t.buf)
		}
		d.record.start = len(t.buf)
		t.buf, d.record.seqAt = enc.record(t.buf, o.key, o.hash, o.source, w.Refs, w.Body)
		d.record.end = len(t.buf)
	}
	return t
}

// keepBuffer is how large a buffer may be that is kept for the next transaction.
const keepBuffer = 32 << 20

func (t *transaction) release() {
	if cap(t.buf) <= keepBuffer {
		t.enc.docs = t.buf
		t.store.encoders.Put(t.enc)
	}
}

// number puts the Seqs of a reservation into documents, results and the log.
func (t *transaction) number(r *reservation, results []catalog.Result) {
	t.block = number(t.outs, r.from, results)
	t.block.Span, t.block.Writer, t.block.At = r.span, t.store.writer, bson.NewDateTimeFromTime(time.Now())
	for n := range t.docs {
		for _, at := range []span{t.docs[n].head, t.docs[n].record} {
			if at.end > at.start {
				putSeq(t.buf, at.seqAt, t.outs[n].seq)
			}
		}
	}
}

func (t *transaction) doc(at span) bson.Raw { return bson.Raw(t.buf[at.start:at.end:at.end]) }

// run writes and commits. Whatever the error, committed tells for sure.
func (t *transaction) run(ctx context.Context, r *reservation) (committed bool, err error) {
	s := t.store
	session, err := s.client.StartSession()
	if err != nil {
		return false, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		session.EndSession(ctx)
	}()
	if err := session.StartTransaction(snapshot); err != nil {
		return false, err
	}
	within := mongo.NewSessionContext(ctx, session)
	err = t.write(within)
	if err == nil {
		// All that comes before in the log is decided before this is: so nobody
		// sees a change of which an earlier one could still follow.
		err = s.settled(ctx, r.from)
	}
	if err == nil {
		err = s.call(within, func(ctx context.Context) error {
			_, err := s.db.Collection(logName).InsertOne(ctx, t.block)
			return err
		})
	}
	if err != nil {
		s.abort(ctx, session)
		return false, err
	}
	err = s.call(ctx, session.CommitTransaction)
	if err == nil {
		return true, nil
	}
	return t.decide(ctx, r, err)
}

// decide finds out what became of a commit whose answer was err: the block of
// the log is there or is not, and if it is not, it is made sure that it never
// will be.
func (t *transaction) decide(ctx context.Context, r *reservation, cause error) (committed bool, err error) {
	s := t.store
	ctx = context.WithoutCancel(ctx) // whoever cancels wants to know as well
	for start := time.Now(); time.Since(start) < s.opts.RetryFor; {
		err := s.call(ctx, func(ctx context.Context) error {
			_, err := s.db.Collection(logName).InsertOne(ctx, block{ID: r.from, Span: r.span})
			return err
		})
		if err == nil {
			return false, errors.Join(errAgain, cause)
		}
		if mongo.IsDuplicateKeyError(err) {
			var b block
			err = s.call(ctx, func(ctx context.Context) error {
				return s.db.Collection(logName).FindOne(ctx, byID(r.from)).Decode(&b)
			})
			switch {
			case err == nil && b.Writer == s.writer:
				return true, nil
			case err == nil:
				return false, errors.Join(errAgain, cause)
			}
		}
		if !away(err) && !clash(err) && !errors.Is(err, mongo.ErrNoDocuments) {
			return false, errors.Join(cause, err)
		}
		if s.pause(ctx, 50*time.Millisecond) != nil {
			break
		}
	}
	return false, cause
}

// write performs the writes, by collection. Each that replaces something holds
// only while what it replaces is as it was read.
func (t *transaction) write(ctx context.Context) error {
	for start := 0; start < len(t.outs); {
		end := start
		for end < len(t.outs) && t.outs[end].kind == t.outs[start].kind {
			end++
		}
		if err := t.writeKind(ctx, start, end); err != nil {
			return err
		}
		start = end
	}
	return nil
}

func (t *transaction) writeKind(ctx context.Context, start, end int) error {
	kind := t.outs[start].kind
	guards, bodies := bulk{store: t.store}, bulk{store: t.store}
	for n := start; n < end; n++ {
		o, d := &t.outs[n], &t.docs[n]
		same := bson.D{{Key: fieldID, Value: string(o.key)}, {Key: fieldSeq, Value: int64(o.old.Seq)}}
		first := d.record
		if headsApart(kind) {
			first = d.head
		}
		if !o.old.Exists() && !o.exists {
			continue // came and went within the batch
		}
		guards.add(o, same, t.doc(first))
		if headsApart(kind) {
			bodies.add(o, byID(string(o.key)), t.doc(d.record))
		}
	}
	if err := guards.run(ctx, t.store.heads(kind)); err != nil {
		return err
	}
	return bodies.run(ctx, t.store.records(kind))
}

// bulk is the writes to one collection.
type bulk struct {
	store    *Store
	models   []mongo.WriteModel
	inserted int64
	matched  int64
	deleted  int64
}

// add adds what an out does to the document that filter finds.
func (b *bulk) add(o *out, filter bson.D, doc bson.Raw) {
	var m mongo.WriteModel
	switch {
	case !o.exists:
		m = mongo.NewDeleteOneModel().SetFilter(filter)
		b.deleted++
	case !o.written:
		m = mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: fieldSource, Value: text(o.source)}}}})
		b.matched++
	case o.old.Exists():
		m = mongo.NewReplaceOneModel().SetFilter(filter).SetReplacement(doc)
		b.matched++
	default:
		m = mongo.NewInsertOneModel().SetDocument(doc)
		b.inserted++
	}
	b.models = append(b.models, m)
}

// run writes, and returns errAgain when something was not as it was read.
func (b *bulk) run(ctx context.Context, c *mongo.Collection) error {
	if len(b.models) == 0 {
		return nil
	}
	return b.store.call(ctx, func(ctx context.Context) error {
		res, err := c.BulkWrite(ctx, b.models, options.BulkWrite().SetOrdered(false))
		if err != nil {
			return err
		}
		if res.InsertedCount != b.inserted || res.MatchedCount != b.matched || res.DeletedCount != b.deleted {
			return errAgain
		}
		return nil
	})
}
