package mailbox

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPatternsCompile compiles every pattern of the package: a wrong one must
// be found here, not in front of a mail.
func TestPatternsCompile(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Error: func(error) {}, IgnoreFuncBodies: true} // imports stay unknown: constants need none
	_, _ = config.Check("mailbox", set, files, info)
	found := 0
	for expression := range info.Types {
		call, ok := expression.(*ast.CallExpr)
		if !ok {
			continue
		}
		if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "newPattern" {
			continue
		}
		found++
		value := info.Types[call.Args[0]].Value
		if value == nil || value.Kind() != constant.String {
			t.Errorf("%s: the pattern is not a constant", set.Position(call.Pos()))
			continue
		}
		if _, err := regexp.Compile(constant.StringVal(value)); err != nil {
			t.Errorf("%s: %v", set.Position(call.Pos()), err)
		}
	}
	if found < 50 {
		t.Errorf("only %d patterns were found", found)
	}
}
