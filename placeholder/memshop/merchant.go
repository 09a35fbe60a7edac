package memshop

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"catalog/placeholder"
)

// AddProduct makes a product as the merchant does.
func (d *DB) AddProduct(sku string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastID++
	p := &product{id: d.lastID, values: map[valueKey]string{
		{"name", 0}: sku, {"price", 0}: "10.000000", {"status", 0}: "1", {"visibility", 0}: "4", {"tax_class_id", 0}: "2",
	}}
	p.want = placeholder.Product{SKU: sku, Type: "simple", Stock: placeholder.Stock{InStock: true, Qty: "0.0000"}}
	for _, w := range d.info.Websites {
		p.want.Websites = append(p.want.Websites, w.ID)
	}
	d.add(p, sku)
	return p.id
}

// EditProduct saves a product as the merchant does.
func (d *DB) EditProduct(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.products[id]; p != nil {
		p.revision++
		p.values[valueKey{"name", 0}] = "Edited by the merchant"
	}
}

// DeleteProduct deletes a product as the merchant does.
func (d *DB) DeleteProduct(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(id)
}

// LoseName deletes the row of a product's name behind everybody's back.
func (d *DB) LoseName(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.products[id]; p != nil {
		delete(p.values, valueKey{"name", 0})
	}
}

// Product returns a product's rows; false if it has none.
func (d *DB) Product(id int64) (want placeholder.Product, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.products[id]
	if p == nil {
		return placeholder.Product{}, false
	}
	want = p.want
	want.Values = nil
	for k, text := range p.values {
		want.Values = append(want.Values, placeholder.Value{Attribute: k.attribute, Store: k.store, Text: text})
	}
	return want, true
}

// Same returns the ids of the products that the shop takes for a SKU.
func (d *DB) Same(sku string) []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := slices.Clone(d.bySKU[fold(sku)])
	return ids
}

// Buy reports why a product could not be put into a cart of a website.
func (d *DB) Buy(id int64, website string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.products[id]
	if p == nil {
		return fmt.Errorf("memshop: there is no product %d", id)
	}
	for _, attribute := range []string{"name", "price", "visibility", "tax_class_id"} {
		if p.values[valueKey{attribute, 0}] == "" {
			return fmt.Errorf("memshop: product %d has no %s", id, attribute)
		}
	}
	if p.values[valueKey{"status", 0}] != "1" || !p.want.Stock.InStock {
		return fmt.Errorf("memshop: product %d is not for sale", id)
	}
	for _, w := range d.info.Websites {
		if w.Code == website && slices.Contains(p.want.Websites, w.ID) {
			return nil
		}
	}
	return fmt.Errorf("memshop: product %d is not sold in %s", id, website)
}

// AddCart makes a cart.
func (d *DB) AddCart(active bool, products ...int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := int64(len(d.carts) + 1)
	d.carts[id] = &cart{active: active, lines: slices.Clone(products)}
	return id
}

// Cart returns a cart's products, and whether it is to be reckoned up again.
func (d *DB) Cart(id int64) (products []int64, recollect bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.carts[id]
	return slices.Clone(c.lines), c.recollect
}

// AddOrder makes an order.
func (d *DB) AddOrder(state string, products ...int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := order{id: int64(len(d.orders) + 1), state: state, lines: slices.Clone(products)}
	for _, id := range products {
		sku := ""
		if p := d.products[id]; p != nil {
			sku = p.want.SKU
		}
		o.skus = append(o.skus, sku)
	}
	d.orders = append(d.orders, o)
	return o.id
}

// OrderItems returns what an order's page shows.
func (d *DB) OrderItems(id int64) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, l := range d.orders[id-1].lines {
		fmt.Fprintf(&b, "product %d\n", l)
	}
	return b.String()
}

// AddWish puts a product on a wish list.
func (d *DB) AddWish(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wishes[id] = true
}

// Idle sets a placeholder's last use back.
func (d *DB) Idle(sku string, ago time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.ledger[fold(sku)]; e != nil {
		e.used = time.Now().Add(-ago)
	}
}

// Hold locks a SKU until release is called.
func (d *DB) Hold(sku string) (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[fold(sku)] = true
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.held, fold(sku))
		d.free.Broadcast()
	}
}

// Rows counts what there is.
func (d *DB) Rows() map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := map[string]int64{"product": int64(len(d.products)), "ledger": int64(len(d.ledger))}
	for _, p := range d.products {
		rows["value"] += int64(len(p.values))
		rows["website"] += int64(len(p.want.Websites))
		rows["tier"] += int64(len(p.want.Tiers))
	}
	for c := range maps.Values(d.carts) {
		rows["cart_line"] += int64(len(c.lines))
	}
	rows["order"] = int64(len(d.orders))
	return rows
}

// Serial grows with each row of a value that is inserted.
func (d *DB) Serial() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.serial
}

// Fail makes the next n transactions that write fail with err.
func (d *DB) Fail(err error, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault, d.faults = err, n
}

// Deadlock is what Fail takes for trouble that a Shop gets over by itself.
func Deadlock() error { return errDeadlock }

// Writes returns how many transactions wrote.
func (d *DB) Writes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writes
}

// SetInfo changes the shop, as its merchant does in the settings.
func (d *DB) SetInfo(info placeholder.Info) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info = info
}
