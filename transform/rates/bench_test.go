package rates

import "testing"

// BenchmarkDefault reads the built-in book, as every command does.
func BenchmarkDefault(b *testing.B) {
	files := defaultFiles()
	for b.Loop() {
		if _, err := ParseFiles(files); err != nil {
			b.Fatal(err)
		}
	}
}
