package facetindex

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"

	"catalog/catalog"
	"catalog/indexer"
	"catalog/indexer/facetindex/internal/disk"
	"catalog/indexer/facetindex/internal/exec"
)

const (
	manifestName    = "MANIFEST"
	manifestMagic   = "CATIDX"
	manifestVersion = 2
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// manifest is the index as it is durable.
type manifest struct {
	Fingerprint string
	Cursor      catalog.Cursor
	NextFile    uint64 // files of this number and above are not named yet
	Journal     string
	JournalSeq  uint64 // of the last record that the cursor covers
	JournalLen  int64  // so long the journal was when this was written
	Segments    []manifestSegment
}

type manifestSegment struct {
	File    string
	Live    string
	LiveSeq uint64 // the journal's records up to it are in Live
	Dead    []byte `json:",omitempty"`
}

func (m *manifest) encode() ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	b := append(binary.LittleEndian.AppendUint16([]byte(manifestMagic), manifestVersion), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crcTable)), nil
}

func decodeManifest(b []byte) (*manifest, error) {
	head := len(manifestMagic) + 2
	if len(b) < head+4 || string(b[:len(manifestMagic)]) != manifestMagic {
		return nil, fmt.Errorf("%s: no magic: %w", manifestName, indexer.ErrCorrupt)
	}
	if v := binary.LittleEndian.Uint16(b[len(manifestMagic):]); v != manifestVersion {
		return nil, fmt.Errorf("%s of version %d, not %d: %w", manifestName, v, manifestVersion, indexer.ErrFormat)
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], crcTable) != binary.LittleEndian.Uint32(b[end:]) {
		return nil, fmt.Errorf("%s: checksum: %w", manifestName, indexer.ErrCorrupt)
	}
	m := new(manifest)
	if err := json.Unmarshal(b[head:end], m); err != nil {
		return nil, fmt.Errorf("%s: %v: %w", manifestName, err, indexer.ErrCorrupt)
	}
	return m, nil
}

// readManifest returns nil when there is none.
func readManifest(d disk.FS) (*manifest, error) {
	m, err := d.Map(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return decodeManifest(m.Bytes())
}

// encodeDead writes the marks of a segment; nil if there are none.
func encodeDead(d exec.Dead) []byte {
	if d.Count() == 0 {
		return nil
	}
	var out []byte
	for _, b := range d {
		out = binary.AppendUvarint(out, uint64(len(b)))
		for _, w := range b {
			out = binary.LittleEndian.AppendUint64(out, w)
		}
	}
	return out
}

func decodeDead(b []byte, docs int) (exec.Dead, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var d exec.Dead
	for len(b) > 0 {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w)/8 || n > 1024 {
			return nil, fmt.Errorf("%s: marks: %w", manifestName, indexer.ErrCorrupt)
		}
		b = b[w:]
		var words []uint64
		for range n {
			words = append(words, binary.LittleEndian.Uint64(b))
			b = b[8:]
		}
		d = append(d, words)
	}
	if len(d) > (docs+65535)/65536 {
		return nil, fmt.Errorf("%s: marks: %w", manifestName, indexer.ErrCorrupt)
	}
	return d, nil
}
