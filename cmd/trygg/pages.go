package main

import (
	"net/http"
	"strings"

	"trygg/bot/routines"
)

// pages serves the pages for professionals beside the web chat. nil: the content
// has no routines.
func (s *service) pages() (http.Handler, error) {
	if s.current().asks == nil {
		return nil, nil
	}
	return routines.New(routines.Options{
		Content: func() *routines.Content { return s.current().pages() },
		Hosts:   s.cfg.hosts(),
		Count: func(e routines.Event) {
			s.metrics.pages.WithLabelValues(string(e.Kind), e.Topic).Inc()
		},
	})
}

// pages gives the snapshot as the pages take it.
func (s *snapshot) pages() *routines.Content {
	if s.asks == nil {
		return nil
	}
	a, err := s.asks()
	if err != nil {
		return nil // told when it was published
	}
	return &routines.Content{Catalogue: s.routines, Index: a.index, Data: s.data, Texts: s.texts}
}

// ofPages tells whether a path is one of the pages for professionals.
func ofPages(path string) bool {
	return path+"/" == routines.Prefix || strings.HasPrefix(path, routines.Prefix)
}
