package search

import (
	"fmt"
	"io/fs"
	"math/rand"
	"regexp"
	"strings"
)

// gridsFile is data/grids.yaml.
type gridsFile struct {
	Slots map[string]map[string]string `yaml:"slots"` // by language and name
	Grids []struct {
		Want string   `yaml:"want"`
		Take int      `yaml:"take"`
		Of   []string `yaml:"of"`
		Only string   `yaml:"only"` // language; all, else
	} `yaml:"grids"`
}

var slot = regexp.MustCompile(`\{[a-z]+\}`)

// gridQuestions reads data/grids.yaml and puts its questions together: a sample of
// each grid, the same every time.
func gridQuestions(fsys fs.FS) ([]list, []string, error) {
	var f gridsFile
	if err := read(fsys, "grids.yaml", &f); err != nil {
		return nil, nil, err
	}
	var out []list
	var want []string
	for i, g := range f.Grids {
		for _, lang := range []string{"nb", "nn", "en"} {
			if g.Only != "" && g.Only != lang {
				continue
			}
			random := rand.New(rand.NewSource(int64(i)))
			for k := range g.Take {
				text := g.Of[k%len(g.Of)]
				for range 3 { // a part may hold slots itself
					text = slot.ReplaceAllStringFunc(text, func(name string) string {
						parts := strings.Split(f.Slots[lang][name[1:len(name)-1]], "|")
						return strings.TrimSpace(parts[random.Intn(len(parts))])
					})
				}
				text = strings.Join(strings.Fields(text), " ")
				if text == "" || strings.Contains(text, "{") {
					return nil, nil, fmt.Errorf("grids.yaml: grid %d of %q: a slot is empty in %q", i+1, g.Want, lang)
				}
				out = append(out, list{id: fmt.Sprintf("grid/%d.%s.%d", i+1, lang, k+1), lang: lang, text: text})
				want = append(want, g.Want)
			}
		}
	}
	return out, want, nil
}
