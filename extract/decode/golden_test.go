package decode

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is loaded to the .txt files beside the fixtures")

// Goal: what each fixture loads to, field by field.
// Method: testdata/FORMAT holds records in the shapes that AWS, LiteLLM and HR
// exports write; the .txt beside each says what is loaded. Review its diff
// after -update.
func TestFixtures(t *testing.T) {
	for folder, format := range formats(t) {
		names, err := filepath.Glob(filepath.Join("testdata", folder, "*.[jc]s*"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d fixtures, error %v", folder, len(names), err)
		}
		for _, name := range names {
			base := strings.TrimSuffix(name, filepath.Ext(name))
			t.Run(folder+"/"+filepath.Base(base), func(t *testing.T) {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, base+".txt", load(berlin(t), format, bytes.NewReader(text)).show(format))
			})
		}
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}
