package feed

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// benchRecords are products of about 1.3 kB.
func benchRecords(n int) []string {
	var records []string
	words := strings.Fields("cotton light shirt with a round neck that keeps its shape after many washes and dries fast in the sun")
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, `{"sku":"SKU-%07d","name":"Product %d","status":"enabled","weight":1.%d,"price":{"price":%d.99},"stock":{"qty":%d},"description":"`, i*7919%n, i, i%10, i%500, i%90)
		for j := range 120 {
			b.WriteString(words[(i*31+j*j)%len(words)])
			b.WriteByte(' ')
		}
		b.WriteString(`","categories":["Default/Men/Tops","Default/Sale"],"attributes":{`)
		for j := range 18 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"attribute_%d":"value %d"`, (i+j*5)%90, (i*j)%50)
		}
		b.WriteString("}}")
		records = append(records, b.String())
	}
	return records
}

// magentoText is Magento's CSV of n rows.
func magentoText(n int) string {
	var b strings.Builder
	b.WriteString("sku,store_view_code,attribute_set_code,product_type,categories,product_websites,name,description,short_description,weight,product_online,tax_class_name,visibility,price,special_price,url_key,base_image,small_image,thumbnail_image,additional_attributes,qty,out_of_stock_qty,use_config_min_qty,is_in_stock,manage_stock,use_config_manage_stock,configurable_variations,additional_images\n")
	for i := range n {
		fmt.Fprintf(&b, "S%d,,Top,simple,\"Default Category/Men/Tops,Default Category/Sale\",base,\"Shirt %d\",\"<p>%s</p>\n<p>&bull; a \"\"good\"\" one</p>\",,1,1,\"Taxable Goods\",\"Catalog, Search\",52.00,,shirt-%d,/m/%d.jpg,/m/%d.jpg,/m/%d.jpg,\"has_options=0,required_options=0,size=XS,color=Black,material=Cotton|Wool\",100,0,1,1,0,1,,\"/a.jpg,/b.jpg\"\n",
			i, i, strings.Repeat("Ideal for cold weather. ", 20), i, i, i, i)
	}
	return b.String()
}

func BenchmarkRead(b *testing.B) {
	records := benchRecords(20_000)
	lines := strings.Join(records, "\n") + "\n"
	write := func(format, compression string) string {
		return string(written(b, WriterOptions{Format: format, Compression: compression}, records))
	}
	for _, bench := range []struct {
		name, content string
		size          int
	}{
		{"jsonl", lines, len(lines)},
		{"jsonl.gz", gz(lines), len(lines)},
		{"jsonl.zst", zst(b, lines), len(lines)},
		{"json", "[" + strings.Join(records, ",\n") + "]", len(lines)},
		{"csv", write(CSV, None), 0},
		{"magento", magentoText(20_000), 0},
		{"parquet", write(Parquet, None), len(lines)},
	} {
		r, _ := openInput(b, file(b, bench.name, bench.content), Options{})
		size := bench.size
		if size == 0 {
			size = len(bench.content)
		}
		b.Run(bench.name+"/cut", func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := r.Chunks(b.Context(), func(c *Chunk) error { c.Release(); return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
		pass := func(b *testing.B, each func(Decoder, *Chunk, *int) error) {
			b.SetBytes(int64(size))
			d := r.NewDecoder()
			defer d.Close()
			for b.Loop() {
				n := 0
				err := r.Chunks(b.Context(), func(c *Chunk) error {
					defer c.Release()
					return each(d, c, &n)
				})
				if err != nil || n != 20_000 {
					b.Fatal(n, err)
				}
			}
		}
		b.Run(bench.name+"/decode", func(b *testing.B) {
			pass(b, func(d Decoder, c *Chunk, n *int) error {
				return d.Decode(c, func(*Record) error { *n++; return nil })
			})
		})
		if _, ok := r.NewDecoder().(KeyDecoder); ok {
			b.Run(bench.name+"/keys", func(b *testing.B) {
				pass(b, func(d Decoder, c *Chunk, n *int) error {
					return d.(KeyDecoder).Keys(c, "sku", func(int64, []byte, bool) error { *n++; return nil })
				})
			})
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	records := benchRecords(20_000)
	var scan ColumnScan
	size := 0
	for _, r := range records {
		size += len(r)
		if err := scan.Add([]byte(r)); err != nil {
			b.Fatal(err)
		}
	}
	for _, format := range []string{JSONL, CSV, Parquet} {
		b.Run(format, func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				var out bytes.Buffer
				w, err := NewWriter(&out, WriterOptions{Format: format, Columns: scan.Columns()})
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range records {
					if err := w.Write([]byte(r)); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
