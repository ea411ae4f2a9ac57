package suites_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/suites"
)

// What a body takes of a hub, by what it says. A word that is not here and
// belongs to a hub fails the test, so that nobody uses one without a letter.
// Sessions, their beginning and end, are what every hub tells: they have none.
var (
	byMethod = map[string]hub.Letters{ // of Hub
		"Events": "", "Letters": "",
		"Register": "R", "Unregister": "R", "Lookup": "R",
		"Drop": "D", "Reset": "N", "Silence": "N", "Down": "N", "Up": "N",
		"Show": "", "Showing": "", // by the fault: see below
		"SendToDevice": "S", "Purge": "S", "PatchDesired": "S", "Invoke": "S", "Became": "B",
		"Serves": "K", "Excuse": "K", "Push": "K",
	}
	byKind = map[string]hub.Letters{
		"KindAccepted": "", "KindConnect": "", "KindDisconnected": "", "KindNoise": "",
		"KindFaultShown": "", // by the fault
		"KindHandshake":  "W", "KindPacket": "K", "KindSubscribed": "K", "KindServed": "K", "KindViolation": "K",
		"KindMessage": "A", "KindTwin": "S", "KindMethod": "S", "KindDeviceBound": "S", "KindCompleted": "S",
	}
	byField = map[string]hub.Letters{ // of an event
		"Handshake": "W", "MetFault": "W", "Packet": "K", "Violation": "K", "Filters": "K", "Message": "A", "Telemetry": "A", "WholeTelemetry": "A",
		"Twin": "S", "Method": "S",
		// of its Connect
		"ClientID": "K", "UserName": "K", "HasPassword": "K", "PasswordLen": "K", "Protocol": "K", "Level": "K",
		"Clean": "K", "KeepAlive": "K", "Will": "K", "Form": "K", "ModelID": "K", "Present": "K",
	}
	byFault = map[string]hub.Letters{ // fields of hub.Fault, and what makes one
		"Name": "", "Device": "", "Link": "N", "CutAfter": "N", "Drop": "D", "DropAfter": "D", "TakeOver": "D",
		"DropAfterConnack": "D", "DropEvery": "D", "TakenOver": "D", "BadLink": "N",
		"Certificate": "L", "Version": "L", "Suites": "L", "RequireSNI": "L", "RecordSize": "L", "ByteEvery": "L",
		"ReturnCode": "L", "NoConnack": "L", "Linger": "L", "ForgetBefore": "L", "ClaimSession": "L",
		"RefuseMessages": "L", "Twice": "L", "Greet": "L", "TwinStatus": "L", "Withhold": "L", "Filter": "L",
		"Late": "L", "LateBy": "L", "AuthMethod": "L", "Throttled": "L", "OnlyVersion": "L", "OnlySuite": "L", "Refuse": "L",
		"Refuse(3)": "F", // any refusal will do
	}
	byBench = map[string]hub.Letters{ // of what bodies ask the bench for; what needs no more than sessions is not here
		"Handshake": "W", "LoadedHandshakes": "W", "AwaitLoaded": "W",
		"AwaitConnection": "W", "EndSession": "D", "KeepAlive": "", // the last from the type where no packet shows it
		"ConnectPacket": "K", "Publishes": "K",
		"Messages": "A", "AwaitMessage": "A", "AwaitUseful": "A", "Delivers": "A",
		"Register": "R", "NewIdentity": "R", "MakeIdentity": "R",
	}
	// byLetter are the names of the letters in package hub.
	byLetter = map[string]hub.Letter{
		"Arrivals": hub.Arrivals, "Handshakes": hub.Handshakes, "AllPackets": hub.AllPackets, "AnyFault": hub.AnyFault,
		"BadLinks": hub.BadLinks, "Drops": hub.Drops, "Refusals": hub.Refusals, "Speaks": hub.Speaks, "Knows": hub.Knows, "Became": hub.Became,
	}
	byAbility = map[string]hub.Letter{"Sessions": hub.Drops, "Packets": hub.AllPackets, "Registry": hub.Knows, "Cloud": hub.Speaks}
)

// function is what one function of the suites takes of a hub by itself, and
// which others it mentions.
type function struct {
	uses  hub.Letters
	asks  hub.Letters // letters whose presence it asks about: it goes on without
	calls []string    // names, with their package

	measures []string // names; one that goes on with something of the run's ends in more
}

// more is the open end of a name.
const more = "…"

// reading is what has been read of the suites.
type reading struct {
	functions map[string]*function
	unknown   []string
}

// read reads every area's source.
func read(t *testing.T) *reading {
	t.Helper()
	r := &reading{functions: map[string]*function{}}
	names, err := filepath.Glob(filepath.Join("*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || filepath.Dir(name) == "gallery" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		r.file(filepath.Dir(name), f)
	}
	return r
}

func (r *reading) file(area string, f *ast.File) {
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
			name := area + "." + d.Name.Name
			if d.Recv != nil {
				name = area + ".." + d.Name.Name
			}
			if r.functions[name] == nil { // methods of one name are taken for one function
				r.functions[name] = &function{}
			}
			r.body(area, r.functions[name], d.Body)
		}
	}
}

// body looks at every word of a body.
func (r *reading) body(area string, f *function, body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Obj == nil || n.Obj.Kind == ast.Fun { // not a variable that is called like one
				f.calls = append(f.calls, area+"."+n.Name)
			}
		case *ast.SelectorExpr:
			r.selector(area, f, n)
			r.body(area, f, n.X)
			return false
		case *ast.KeyValueExpr:
			if _, field := n.Key.(*ast.Ident); field {
				r.body(area, f, n.Value)
				return false
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Measure" {
				f.measures = append(f.measures, nameOf(n.Args[0]))
			}
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && isName(s.X, "hub") && s.Sel.Name == "Refuse" && isLit(n.Args[0], "3") {
				f.uses = f.uses.With(byFault["Refuse(3)"])
				return false
			}
		case *ast.CompositeLit:
			r.row(area, n)
			if s, ok := n.Type.(*ast.SelectorExpr); ok && isName(s.X, "hub") && s.Sel.Name == "Fault" {
				for _, e := range n.Elts {
					r.take(f, byFault, e.(*ast.KeyValueExpr).Key.(*ast.Ident).Name, "hub.Fault.") // they are all by name
				}
			}
		}
		return true
	})
}

func (r *reading) selector(area string, f *function, n *ast.SelectorExpr) {
	name := n.Sel.Name
	switch x := n.X.(type) {
	case *ast.SelectorExpr:
		if x.Sel.Name == "Hub" {
			if l, ok := byAbility[name]; ok {
				f.asks = f.asks.With(hub.Letters(l))
				return
			}
			r.take(f, byMethod, name, "Hub.")
			return
		}
	case *ast.Ident:
		if x.Name == "hub" {
			switch l, letter := byLetter[name]; {
			case letter:
				f.asks = f.asks.With(hub.Letters(l))
			case strings.HasPrefix(name, "Kind"):
				r.take(f, byKind, name, "hub.")
			default:
				f.uses = f.uses.With(byFault[name])
			}
			return
		}
		if slices.Contains([]string{"backoff"}, x.Name) {
			f.calls = append(f.calls, x.Name+"."+name)
			return
		}
		if l, ok := byBench[name]; ok && (x.Name == "b" || x.Name == "t") {
			f.uses = f.uses.With(l)
			return
		}
	}
	f.uses = f.uses.With(byField[name])
	f.calls = append(f.calls, area+".."+name)
}

func (r *reading) take(f *function, table map[string]hub.Letters, name, what string) {
	l, ok := table[name]
	if !ok {
		r.unknown = append(r.unknown, what+name)
	}
	f.uses = f.uses.With(l)
}

// nameOf is the name of a measurement as far as its expression tells.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.BinaryExpr:
		return nameOf(e.X) + more
	case *ast.CallExpr: // fmt.Sprintf
		before, _, _ := strings.Cut(nameOf(e.Args[0]), "%")
		return before + more
	}
	return more
}

// measured are the names of all that a function measures.
func (r *reading) measured(name string, seen map[string]bool) (names []string) {
	f := r.functions[name]
	if f == nil || seen[name] {
		return nil
	}
	seen[name] = true
	names = slices.Clone(f.measures)
	for _, c := range f.calls {
		names = append(names, r.measured(c, seen)...)
	}
	return names
}

// of is what a function takes of a hub, with all that it mentions, but for what
// it asks about first.
func (r *reading) of(name string, seen map[string]bool) (uses hub.Letters) {
	f := r.functions[name]
	if f == nil || seen[name] {
		return ""
	}
	seen[name] = true
	uses = f.uses
	for _, c := range f.calls {
		uses = uses.With(r.of(c, seen))
	}
	for _, l := range string(f.asks) {
		uses = hub.Letters(strings.ReplaceAll(string(uses), string(l), ""))
	}
	return uses
}

func isName(e ast.Expr, name string) bool {
	x, ok := e.(*ast.Ident)
	return ok && x.Name == name
}

func isLit(e ast.Expr, value string) bool {
	x, ok := e.(*ast.BasicLit)
	return ok && x.Value == value
}

// row reads the body that a row of the catalogue names.
func (r *reading) row(area string, n *ast.CompositeLit) {
	id, body := "", ast.Expr(nil)
	for _, e := range n.Elts {
		e, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		switch key, _ := e.Key.(*ast.Ident); {
		case key == nil:
			return
		case key.Name == "ID":
			if l, ok := e.Value.(*ast.BasicLit); ok {
				id = strings.Trim(l.Value, `"`)
			}
		case key.Name == "Body":
			body = e.Value
		}
	}
	if id != "" && body != nil {
		r.functions[id] = &function{}
		r.body(area, r.functions[id], body)
	}
}

// undeclared are the letters that a body takes and its row does not ask for.
func undeclared(uses hub.Letters, needs fixtures.Needs) (missing []string) {
	for _, l := range string(uses) {
		if !slices.ContainsFunc(needs, func(n fixtures.Need) bool { return strings.ContainsRune(string(n), l) }) {
			missing = append(missing, string(l))
		}
	}
	return missing
}

// A body takes of a hub what its row asks for, and no more.
func TestABodyTakesWhatItsRowNeeds(t *testing.T) {
	r := read(t)
	for _, s := range suites.All() {
		if r.functions[s.ID] == nil {
			t.Errorf("%s is in no table of rows", s.ID)
		}
		uses := r.of(s.ID, map[string]bool{})
		for _, l := range undeclared(uses, s.Needs) {
			t.Errorf("%s takes %s of the hub, and its needs are %s", s.ID, l, s.Needs)
		}
		if need, found := idle(uses, s); found {
			t.Errorf("%s needs %s, and takes only %q of the hub", s.ID, need, uses)
		}
	}
	for _, u := range r.unknown {
		t.Errorf("%s has no letter", u)
	}
}

// idle is a need of the hub that the body has no use for.
func idle(uses hub.Letters, s fixtures.Spec) (fixtures.Need, bool) {
	for _, n := range s.Needs {
		if n == fixtures.NeedPower || n == fixtures.NeedDeclared || n == "N" && s.Has("soak") {
			continue // a soak's cuts are a bad link's, though some end the session alone
		}
		if !strings.ContainsAny(string(n), string(uses)) {
			return n, true
		}
	}
	return "", false
}

// The reading finds each letter that is left out, whichever it is.
func TestABodyThatTakesMoreThanItsRowNeedsIsFound(t *testing.T) {
	r := read(t)
	found := hub.Letters("")
	for _, s := range suites.All() {
		for i, n := range s.Needs {
			rest := slices.Delete(slices.Clone(s.Needs), i, i+1)
			for _, l := range undeclared(r.of(s.ID, map[string]bool{}), rest) {
				if strings.Contains(string(n), l) {
					found = found.With(hub.Letters(l))
				}
			}
		}
	}
	if all := hub.OfLocal.With(hub.OfAzure); found != all {
		t.Errorf("found %s of %s", found, all)
	}
}

// A row holds the names of what its body measures, and no others.
func TestARowHoldsWhatItsBodyMeasures(t *testing.T) {
	r := read(t)
	for _, s := range suites.All() {
		names := r.measured(s.ID, map[string]bool{})
		for _, n := range names {
			begins, open := strings.CutSuffix(n, more)
			if open && !slices.ContainsFunc(s.Measures, func(m string) bool { return strings.HasPrefix(m, begins) }) ||
				!open && !rigfile.Measured(s.Measures, n) {
				t.Errorf("%s measures %q, and its row does not hold it", s.ID, n)
			}
		}
		for _, m := range s.Measures {
			if !slices.ContainsFunc(names, func(n string) bool {
				begins, open := strings.CutSuffix(n, more)
				return n == m || open && strings.HasPrefix(m, begins)
			}) {
				t.Errorf("%s does not measure %q", s.ID, m)
			}
		}
	}
}
