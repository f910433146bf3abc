package pdf

import "testing"

// One document of the size that most have.
func BenchmarkRender(b *testing.B) {
	doc := build(b, sampleFew())
	for b.Loop() {
		if _, err := Render(doc); err != nil {
			b.Fatal(err)
		}
	}
}
