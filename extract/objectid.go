package extract

import (
	"fmt"

	"github.com/zeebo/xxh3"
)

// ObjectID is the manifest's id of one version of an object: 63 bits of a
// hash, so that every run and every ledger gives the same one.
func ObjectID(source, key, etag string) int64 {
	return int64(xxh3.HashString(fmt.Sprintf("%s\x00%s\x00%s", source, key, etag)) >> 1)
}
