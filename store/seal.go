package store

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A sealed value (S35):
//
//	1 byte   format, 1
//	1 byte   id of the key
//	12 bytes nonce, random
//	...      AES-256-GCM of: end of life, 8 bytes of milliseconds; the content; padding
//	16 bytes its tag
//
// Associated data are the format, the key's id, the kind of record, the schema
// of the content and the record's name, so a value is worthless anywhere else.
// The padding brings the content to a multiple of 64 bytes: its exact length
// would tell how far a child went.
const (
	sealFormat = 1
	sealHead   = 2
	sealNonce  = 12
	sealTag    = 16
	sealBlock  = 64
)

var (
	// ErrDamaged: a value is not what was sealed, or not for this place (F11-F15).
	ErrDamaged = errors.New("not a value sealed for this record")
	// ErrNoKey: the key it was sealed with is not in the ring (F86).
	ErrNoKey = errors.New("sealed with a key that is not in the ring")
	// ErrEnded: its life is over.
	ErrEnded = errors.New("the record has ended")
)

// Bind says which record a sealed value belongs to.
type Bind struct {
	Kind   Kind
	Schema byte   // version of the content's form
	Name   string // the key's name, or the entry's ID
}

func (b Bind) data(dst []byte, key byte) []byte {
	dst = append(dst, sealFormat, key, byte(b.Kind), b.Schema, byte(len(b.Name)>>8), byte(len(b.Name)))
	return append(dst, b.Name...)
}

// Seal encrypts content with the active key. The value ends at until.
func (r *Ring) Seal(b Bind, until time.Time, content []byte) ([]byte, error) {
	k := r.sealer[r.active]
	aead := k.seals[min(int(b.Kind), kinds)]
	if aead == nil {
		return nil, fmt.Errorf("seal: %s is not a sealed kind", b.Kind)
	}
	size := (8 + len(content) + 1 + sealBlock - 1) / sealBlock * sealBlock
	out := make([]byte, sealHead+sealNonce, sealHead+sealNonce+size+sealTag)
	out[0], out[1] = sealFormat, k.id
	rand.Read(out[sealHead:])
	// The plain text is built where the sealed one will stand.
	plain := binary.BigEndian.AppendUint64(out, uint64(until.UnixMilli()))
	plain = append(append(plain, content...), 0x80)
	for len(plain) < sealHead+sealNonce+size {
		plain = append(plain, 0)
	}
	var data [6 + maxName]byte
	return aead.Seal(out, out[sealHead:], plain[len(out):], b.data(data[:0], k.id)), nil
}

// Open decrypts a value and looks at its end.
func (r *Ring) Open(b Bind, now time.Time, sealed []byte) (content []byte, until time.Time, err error) {
	if len(sealed) < sealHead+sealNonce+sealTag+sealBlock || sealed[0] != sealFormat {
		return nil, time.Time{}, ErrDamaged
	}
	k, ok := r.sealer[sealed[1]]
	if !ok {
		return nil, time.Time{}, ErrNoKey
	}
	aead := k.seals[min(int(b.Kind), kinds)]
	if aead == nil {
		return nil, time.Time{}, ErrDamaged
	}
	var data [6 + maxName]byte
	plain, err := aead.Open(nil, sealed[sealHead:sealHead+sealNonce], sealed[sealHead+sealNonce:], b.data(data[:0], k.id))
	if err != nil {
		return nil, time.Time{}, ErrDamaged
	}
	last := len(plain) - 1
	for last >= 8 && plain[last] == 0 {
		last--
	}
	if last < 8 || plain[last] != 0x80 {
		return nil, time.Time{}, ErrDamaged
	}
	until = time.UnixMilli(int64(binary.BigEndian.Uint64(plain)))
	if !until.After(now) {
		return nil, until, ErrEnded
	}
	return plain[8:last], until, nil
}
