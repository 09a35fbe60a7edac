package main

import (
	"bytes"
	"context"
	"errors"

	"catalog/catalog"
)

// keepStoreViews keeps what catalog.yaml says of store views in the store, so
// that all instances agree on it. Without a stores: in the settings what the
// store has stays.
func (a *app) keepStoreViews(ctx context.Context, s catalog.Store) error {
	if a.storeViews == nil {
		return nil
	}
	old, err := s.Meta(ctx, catalog.MetaStoreViews)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if bytes.Equal(old, a.storeViews) {
		return nil
	}
	return s.SetMeta(ctx, catalog.MetaStoreViews, a.storeViews)
}
