package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catalog/catalog"
	"catalog/catalog/pebblestore"
	"catalog/catalog/pebblestore/backup"
)

const backupLong = `Back up an embedded store into DIR, while it is served and written to.

Each backup is a folder in DIR, named by its moment, and a store by itself: what
was acknowledged before it began is in it, whole batches only. Tables that the
backup before has too are hard links to it, so that it takes only what has
changed since; on the disk of the store itself they are links to the store's.
Keep backups on another disk, or move them there: links share the faults of one.
Each backup can be removed or copied without regard to the others. DIR belongs
to one store.

The process that has the store makes a checkpoint beside it, in a moment; this
command reads that. A backup that was interrupted or killed is none, harms
neither the store nor other backups, and its rest is removed by the next one.

--list shows the backups in DIR, --check reads the newest one (or the one that
DIR is) and compares every file with what was written.

'catalog restore' makes a store of a backup. A store of MongoDB is backed up by
its own means: mongodump --oplog of a replica set, or snapshots of its volumes.
The index needs no backup: it is made anew from the store.
`

const restoreLong = `Make a store of a backup, where --store says: pebble:./data by default. Nothing
may be there yet; move away what is. DIR is a folder of backups, of which the
newest is taken, or one backup.

Every file is compared with its digest, and every record is read, before the
store gets its name. It is a new epoch of the store: an index beside it, caches
and placeholders notice by themselves, and are made anew. Nothing is lost but
what was written after the backup; import the last feeds again.
`

// backupOptions are the flags of catalog backup.
type backupOptions struct {
	keep                          int
	list, check, json, noProgress bool
}

func newBackupCommand(a *app) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:     "backup DIR",
		Short:   "Back up an embedded store while it is in use",
		Long:    backupLong + "\n" + exitHelp,
		Example: "  catalog backup /mnt/backups/catalog --keep 14\n  catalog backup --list /mnt/backups/catalog\n  catalog backup --check /mnt/backups/catalog",
		GroupID: "store",
		Args:    args(cobra.ExactArgs(1)),
		RunE: a.action(func(ctx context.Context, args []string) error {
			switch {
			case o.list && o.check:
				return usagef("--list and --check are two commands")
			case o.list:
				return listBackups(a, args[0], o)
			case o.check:
				return checkBackup(ctx, a, args[0], o)
			}
			return runBackup(ctx, a, args[0], o)
		}),
	}
	f := cmd.Flags()
	f.IntVar(&o.keep, "keep", 0, "keep the newest `N` backups and remove those before; 0: all")
	f.BoolVar(&o.list, "list", false, "show the backups in DIR")
	f.BoolVar(&o.check, "check", false, "compare a backup's files with what was written")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.noProgress, "no-progress", false, "show no progress")
	return cmd
}

func newRestoreCommand(a *app) *cobra.Command {
	var asJSON, noProgress bool
	cmd := &cobra.Command{
		Use:     "restore DIR",
		Short:   "Make a store of a backup",
		Long:    restoreLong + "\n" + exitHelp,
		Example: "  mv data data.broken; catalog restore /mnt/backups/catalog\n  catalog restore --store pebble:./yesterday /mnt/backups/catalog/20261121T020000Z",
		GroupID: "store",
		Args:    args(cobra.ExactArgs(1)),
		RunE: a.action(func(ctx context.Context, args []string) error {
			return runRestore(ctx, a, args[0], asJSON, noProgress)
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&noProgress, "no-progress", false, "show no progress")
	return cmd
}

// embeddedDir returns the folder of an embedded store.
func (a *app) embeddedDir() (string, error) {
	rest, ok := strings.CutPrefix(a.global.store, "pebble:")
	dir := strings.TrimPrefix(rest, "//")
	if !ok || dir == "" {
		return "", usagef("--store %q is no embedded store, pebble:DIR: back a server's store up on its machine", a.global.store)
	}
	return dir, nil
}

// checkpointer is a store that can lay a copy of itself beside its files.
type checkpointer interface {
	Checkpoint(ctx context.Context) error
}

// backupTTL is how long a backup that has died keeps others away at most.
const backupTTL = time.Minute

func runBackup(ctx context.Context, a *app, dir string, o backupOptions) error {
	if o.keep < 0 {
		return usagef("--keep: a number is not below 0")
	}
	store, err := a.embeddedDir()
	if err != nil {
		return err
	}
	checkpoint := filepath.Join(store, pebblestore.CheckpointName)
	a.shares = true
	return a.withStore(ctx, mustExist, func(s catalog.Store) error {
		c, ok := s.(checkpointer)
		if !ok {
			return usagef("this store has no files to back up")
		}
		var b *backup.Backup
		start := time.Now()
		// Two backups at a time would take each other's checkpoint away.
		lease, err := s.Acquire(ctx, "backup", holder(), backupTTL)
		if err != nil {
			return err
		}
		err = catalog.KeepLease(ctx, s, lease.Fence, backupTTL, func(ctx context.Context) error {
			if err := c.Checkpoint(ctx); err != nil {
				return err
			}
			defer func() {
				if !errors.Is(context.Cause(ctx), catalog.ErrFenced) { // else it is another one's
					os.RemoveAll(checkpoint)
				}
			}()
			shown := a.newByteTicker("backing up", o.noProgress)
			defer shown.finish()
			b, err = backup.Create(ctx, checkpoint, dir, backup.Options{Keep: o.keep, Progress: shown.show})
			return err
		})
		if err != nil || a.global.quiet {
			return err
		}
		if o.json {
			return printJSON(a.stdout, newBackupRow(b))
		}
		p := &printer{w: a.stdout}
		p.printf("backed up %s into %s in %s: %s, of which %s are new\n", recordsOf(b), b.Dir, span(time.Since(start)), size(b.Bytes), size(b.New))
		return p.err
	})
}

// backupRow is a backup as --json shows it.
type backupRow struct {
	Dir      string           `json:"dir"`
	Taken    time.Time        `json:"taken"`
	Cursor   string           `json:"cursor"`
	Records  map[string]int64 `json:"records"`
	Bytes    int64            `json:"bytes"`
	NewBytes int64            `json:"new_bytes"`
}

func newBackupRow(b *backup.Backup) backupRow {
	return backupRow{
		Dir: b.Dir, Taken: b.Taken, Cursor: catalog.Cursor{Epoch: b.Epoch, Seq: b.Tail}.String(),
		Records: b.Records, Bytes: b.Bytes, NewBytes: b.New,
	}
}

// recordsOf says for people what is in a backup.
func recordsOf(b *backup.Backup) string {
	var parts []string
	for _, k := range catalog.Kinds() {
		if n := b.Records[k.String()]; n > 0 {
			parts = append(parts, count(n)+" "+k.Plural())
		}
	}
	if len(parts) == 0 {
		return "an empty store"
	}
	return strings.Join(parts, ", ")
}

func listBackups(a *app, dir string, o backupOptions) error {
	all, err := backup.List(dir)
	if notThere(err) {
		return usagef("there is no folder %s", dir)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	list := make([]backupRow, 0, len(all))
	rows := [][]string{{"backup", "taken", "records", "size", "new"}}
	for _, b := range all {
		list = append(list, newBackupRow(b))
		rows = append(rows, []string{filepath.Base(b.Dir), b.Taken.Local().Format(time.DateTime), recordsOf(b), size(b.Bytes), size(b.New)})
	}
	if o.json {
		return printJSON(a.stdout, list)
	}
	p := &printer{w: a.stdout}
	p.printf("%s", table(rows, 3))
	return p.err
}

// findBackup finds the backup that the user names.
func findBackup(dir string) (*backup.Backup, error) {
	b, err := backup.Find(dir)
	if errors.Is(err, backup.ErrNone) {
		return nil, usageError{err}
	}
	return b, err
}

func checkBackup(ctx context.Context, a *app, dir string, o backupOptions) error {
	b, err := findBackup(dir)
	if err != nil {
		return err
	}
	shown := a.newByteTicker("checking", o.noProgress)
	err = backup.Check(ctx, b, backup.Options{Progress: shown.show})
	shown.finish()
	if err != nil || a.global.quiet {
		return err
	}
	p := &printer{w: a.stdout}
	p.printf("%s is as it was written: %s in %s files\n", b.Dir, size(b.Bytes), count(int64(len(b.Files))))
	return p.err
}

func runRestore(ctx context.Context, a *app, dir string, asJSON, noProgress bool) error {
	to, err := a.embeddedDir()
	if err != nil {
		return err
	}
	b, err := findBackup(dir)
	if err != nil {
		return err
	}
	start := time.Now()
	shown := a.newByteTicker("restoring", noProgress)
	stats, err := backup.Restore(ctx, b, to, backup.Options{Progress: shown.show})
	shown.finish()
	if errors.Is(err, backup.ErrExists) {
		return usageError{fmt.Errorf("%w: move it away first, or name another place by --store", err)}
	}
	if err != nil || a.global.quiet {
		return err
	}
	if asJSON {
		row := newBackupRow(b)
		row.Cursor = stats.Tail.String()
		return printJSON(a.stdout, row)
	}
	p := &printer{w: a.stdout}
	p.printf("restored %s from %s to %s in %s, and read every record\n", recordsOf(b), b.Dir, to, span(time.Since(start)))
	return p.err
}
