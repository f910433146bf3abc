package main_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mayImport is the import table: what a top folder may import of ours besides
// itself. A pattern that ends in /... covers everything below; another covers
// that one package. Nothing on the left of the line extract, transform,
// billing knows anything on its right.
var mayImport = map[string][]string{
	"cmd":       {"config/...", "jobs/...", "extract/...", "transform/...", "billing/...", "templates/..."},
	"config":    {"transform/money", "transform/civil", "transform/strictyaml"},
	"jobs":      {"extract/...", "transform/...", "billing/...", "templates/..."},
	"extract":   {},
	"transform": {"extract/record"},
	"billing":   {"extract/record", "transform/...", "templates/..."}, // record: the ledger stages what extract found
	"templates": {},
}

// books are the packages that the books are made of, in their order: each may import
// those before it, and nothing else of billing.
var books = []string{"billing/warehouse", "billing/meta", "billing/manifest", "billing/outbox", "billing/program", "billing/runs", "billing/records", "billing/months", "billing/ledger"}

// wiring opens the books by the settings. The command line shares it with the tests
// of one folder, from outside.
const wiring, wiringTests = "cmd/chargeback/app", "jobs"

// drivers are packages of one technology each. Only cmd wires them, and tests.
var drivers = []string{"dirstore", "s3store", "duckdb", "bigquery", "slacknotify", "consolenotify"}

// floatPackages may use floats throughout, for the reason beside them.
var floatPackages = map[string]string{
	"billing/invoice/pdf":         "the PDF library measures paper in float64 millimetres; amounts come in as text",
	"billing/invoice/pdf/typeset": "outlines of fonts are made of float32 points; no amount comes in",
}

// rowReaders are files that handle rows before they are typed values, for the reason
// beside them.
var rowReaders = map[string]string{
	"billing/months/hash.go":     "the hash of earlier versions takes all columns of a record, in order",
	"billing/ledger/ledger.go":   "passes rows on",
	"billing/records/records.go": "passes rows on",
	"billing/report/report.go":   "finds the report's column of each by its name",
}

// rules are everything that the tidy test holds the module to.
var rules = []struct {
	name string
	find func(*module) []string
}{
	{"imports", crossingImports},
	{"clock", clocks},
	{"float", floats},
	{"package comment", missingPackageComments},
	{"skipped test", silentSkips},
	{"leftover", leftovers},
	{"top folders", topFolders},
	{"init", initFunctions},
	{"environment", environment},
	{"rows by position", rowsByPosition},
}

func crossingImports(m *module) []string {
	var found []string
	for _, s := range m.sources {
		for _, spec := range s.ast.Imports {
			to, ok := m.ours(spec)
			if !ok || to == s.dir {
				continue
			}
			if wrong := crossing(s, to); wrong != "" {
				found = append(found, m.at(s, spec.Pos(), "%s; move the code to the side that may know both", wrong))
			}
		}
	}
	return found
}

// crossing says why a file may not import the package, or "".
func crossing(s source, to string) string {
	from, base := topOf(s.dir), path.Base(to)
	suite := strings.HasSuffix(base, "test")
	switch {
	case suite && !s.test && !strings.HasSuffix(path.Base(s.dir), "test"):
		return fmt.Sprintf("%s is a test suite and is imported by code", to)
	case slices.Contains(drivers, base):
		if from != "cmd" && !s.test {
			return fmt.Sprintf("%s is a driver; only cmd wires drivers", to)
		}
	case to == wiring && from != "cmd" && !(from == wiringTests && fromOutside(s)):
		return fmt.Sprintf("%s is the wiring; only cmd and tests of %s from outside import it", to, wiringTests)
	case fromOutside(s):
		return "" // a test from outside drives the whole, as its users do
	case from != topOf(to) && !covers(mayImport[from], to):
		return fmt.Sprintf("%s may not import %s", from, to)
	case againstTheLine(s.dir, to) && !suite:
		return fmt.Sprintf("%s stands before %s in the books and must not know it", s.dir, to)
	case from != "cmd" && !suite && siblings(s.dir, to):
		return fmt.Sprintf("%s and %s are children of one parent and must not know each other", s.dir, to)
	}
	return ""
}

// fromOutside says whether a file is a test of a package from outside of it.
func fromOutside(s source) bool { return s.test && strings.HasSuffix(s.ast.Name.Name, "_test") }

// siblings says whether two packages are children of the same package below
// a top folder: technologies of one noun.
func siblings(a, b string) bool {
	return a != b && path.Dir(a) == path.Dir(b) && strings.Contains(path.Dir(a), "/")
}

// againstTheLine says whether a package of the books imports one of billing that
// stands behind it.
func againstTheLine(from, to string) bool {
	at := slices.Index(books, from)
	return at >= 0 && topOf(to) == "billing" && !slices.Contains(books[:at], to)
}

func covers(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		tree, whole := strings.CutSuffix(pattern, "/...")
		return pkg == tree || whole && strings.HasPrefix(pkg, tree+"/")
	})
}

func topOf(p string) string {
	top, _, _ := strings.Cut(p, "/")
	return top
}

// clocks finds code outside cmd that reads the time itself.
func clocks(m *module) []string {
	return callsOutsideCmd(m, "time", []string{"Now", "Since", "Until"}, "take the time as an argument")
}

// environment finds code outside cmd that reads environment variables itself.
func environment(m *module) []string {
	return callsOutsideCmd(m, "os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, "take the value, or a lookup function, as an argument")
}

func callsOutsideCmd(m *module, pkg string, names []string, instead string) []string {
	var found []string
	for _, s := range m.sources {
		if s.test || topOf(s.dir) == "cmd" {
			continue
		}
		local := localName(s.ast, pkg)
		inspect(s.ast, func(sel *ast.SelectorExpr) {
			if x, ok := sel.X.(*ast.Ident); ok && local != "" && x.Name == local && slices.Contains(names, sel.Sel.Name) {
				found = append(found, m.at(s, sel.Pos(), "%s.%s outside cmd; %s", pkg, sel.Sel.Name, instead))
			}
		})
	}
	return found
}

// localName is what the file calls the imported package, or "".
func localName(file *ast.File, pkg string) string {
	for _, spec := range file.Imports {
		if strings.Trim(spec.Path.Value, `"`) != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// floatMakers are functions and methods whose result or argument is a float
// although the line need not say so.
var floatMakers = []string{"ParseFloat", "NewFromFloat", "NewFromFloat32", "InexactFloat64", "Float64", "SetFloat64"}

// floats finds binary floating point where money is read or computed. A line
// may keep it that ends in a comment `//tidy:float` and a reason.
func floats(m *module) []string {
	var found []string
	for _, s := range m.sources {
		if s.test || !slices.Contains([]string{"config", "transform", "billing"}, topOf(s.dir)) || floatPackages[s.dir] != "" {
			continue
		}
		waived := waivedLines(m, s.ast)
		report := func(pos token.Pos, what string) {
			if !waived[m.line(pos)] {
				found = append(found, m.at(s, pos, "%s near money; use transform/money, or give a reason on the line: //tidy:float REASON", what))
			}
		}
		inspect(s.ast, func(id *ast.Ident) {
			if id.Name == "float32" || id.Name == "float64" || slices.Contains(floatMakers, id.Name) {
				report(id.Pos(), id.Name)
			}
		})
		inspect(s.ast, func(literal *ast.BasicLit) {
			if literal.Kind == token.FLOAT && !wholeNumber(literal.Value) {
				report(literal.Pos(), literal.Value)
			}
		})
	}
	return found
}

// wholeNumber says whether a literal such as 64e6 only writes a whole number shorter.
func wholeNumber(literal string) bool { return !strings.ContainsAny(literal, ".-pP") }

// waivedLines are the lines with a reason of at least ten characters.
func waivedLines(m *module, file *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			reason, ok := strings.CutPrefix(comment.Text, "//tidy:float")
			if ok && len(strings.TrimSpace(reason)) >= 10 {
				lines[m.line(comment.Pos())] = true
			}
		}
	}
	return lines
}

// missingPackageComments finds folders with Go files of which none says what
// the package is for. A library's comment starts with "Package NAME".
func missingPackageComments(m *module) []string {
	commented := map[string]bool{}
	for _, s := range m.sources {
		doc, name := s.ast.Doc.Text(), strings.TrimSuffix(s.ast.Name.Name, "_test")
		if doc != "" && (name == "main" || strings.HasPrefix(doc, "Package "+name+" ")) {
			commented[s.dir] = true
		} else if !commented[s.dir] {
			commented[s.dir] = false
		}
	}
	var found []string
	for _, dir := range slices.Sorted(maps.Keys(commented)) {
		if !commented[dir] {
			found = append(found, fmt.Sprintf("%s: no file has a package comment; say what the package owns and what it does not own", dir))
		}
	}
	return found
}

// silentSkips finds tests that are skipped without a reason of at least ten
// characters written where they are skipped.
func silentSkips(m *module) []string {
	var found []string
	for _, s := range m.sources {
		testers := testerNames(s.ast)
		inspect(s.ast, func(call *ast.CallExpr) {
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				return
			}
			if x, ok := sel.X.(*ast.Ident); ok && testers[x.Name] && len(literalReason(call)) < 10 {
				found = append(found, m.at(s, call.Pos(), "%s.%s without a reason; say in its text what is missing on this machine", x.Name, sel.Sel.Name))
			}
		})
	}
	return found
}

// testerNames are the parameters of the file's functions that are tests,
// benchmarks or fuzz targets.
func testerNames(file *ast.File) map[string]bool {
	names, local := map[string]bool{}, localName(file, "testing")
	inspect(file, func(field *ast.Field) {
		kind := field.Type
		if star, ok := kind.(*ast.StarExpr); ok {
			kind = star.X
		}
		sel, ok := kind.(*ast.SelectorExpr)
		if !ok || local == "" {
			return
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && slices.Contains([]string{"T", "B", "F", "TB"}, sel.Sel.Name) {
			for _, name := range field.Names {
				names[name.Name] = true
			}
		}
	})
	return names
}

// literalReason is the text that a call starts with, trimmed, or "".
func literalReason(call *ast.CallExpr) string {
	if len(call.Args) == 0 {
		return ""
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	reason, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(reason)
}

var (
	leftover = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	issue    = regexp.MustCompile(`#[0-9]+\b`)
)

// leftovers finds marks of unfinished work that name no issue on their line.
func leftovers(m *module) []string {
	var found []string
	check := func(file string, line int, content string) {
		for row := range strings.Lines(content) {
			if leftover.MatchString(row) && !issue.MatchString(row) {
				found = append(found, fmt.Sprintf("%s:%d: unfinished work without an issue; finish it, or name the issue as #NUMBER", file, line))
			}
			line++
		}
	}
	for _, s := range m.sources {
		for _, group := range s.ast.Comments {
			for _, comment := range group.List {
				check(s.path, m.line(comment.Pos()), comment.Text)
			}
		}
	}
	for _, t := range m.texts {
		check(t.path, 1, t.content)
	}
	return found
}

// topFolders finds folders at the top that the table does not know, and those
// of the table that don't explain themselves.
func topFolders(m *module) []string {
	var found []string
	for _, folder := range m.folders {
		if _, known := mayImport[folder]; !known {
			found = append(found, fmt.Sprintf("%s: not one of %s; move its content into the one that owns it", folder, strings.Join(slices.Sorted(maps.Keys(mayImport)), ", ")))
		} else if !m.files[folder+"/README.md"] {
			found = append(found, folder+": no README.md; say what it owns, what it does not own and where to add the usual next thing")
		}
	}
	return found
}

// rowsByPosition finds code that handles rows of selects before they are typed values by
// the names of their columns, in which a column that moves goes unnoticed.
func rowsByPosition(m *module) []string {
	const port = "billing/warehouse"
	var found []string
	for _, s := range m.sources {
		if s.test || covers([]string{port + "/..."}, s.dir) || strings.HasSuffix(path.Base(s.dir), "test") || rowReaders[s.path] != "" {
			continue
		}
		local := ""
		for _, spec := range s.ast.Imports {
			if to, ours := m.ours(spec); ours && to == port {
				local = localName(s.ast, strings.Trim(spec.Path.Value, `"`))
			}
		}
		inspect(s.ast, func(sel *ast.SelectorExpr) {
			if x, ok := sel.X.(*ast.Ident); ok && local != "" && x.Name == local && sel.Sel.Name == "Row" {
				found = append(found, m.at(s, sel.Pos(), "a row is read by position; read it into a struct by warehouse.Each, All, One or Maybe"))
			}
		})
	}
	return found
}

func initFunctions(m *module) []string {
	var found []string
	for _, s := range m.sources {
		for _, decl := range s.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				found = append(found, m.at(s, fn.Pos(), "func init; wire it by hand in cmd"))
			}
		}
	}
	return found
}

// inspect calls visit with every node of type T.
func inspect[T ast.Node](file *ast.File, visit func(T)) {
	ast.Inspect(file, func(n ast.Node) bool {
		if node, ok := n.(T); ok {
			visit(node)
		}
		return true
	})
}
