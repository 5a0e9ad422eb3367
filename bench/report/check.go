package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Check tells whether a JSON document is one of Schema: all of its keys and no
// others, no list null, and rows that fit their table.
func Check(text []byte) error {
	var d document
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&d); err != nil {
		return fmt.Errorf("schema %s: %w", Schema, err)
	}
	if d.Schema != Schema {
		return fmt.Errorf("schema is %q, want %s", d.Schema, Schema)
	}
	var any any
	if err := json.Unmarshal(text, &any); err != nil {
		return err
	}
	if err := complete("document", any, reflect.TypeFor[document]()); err != nil {
		return err
	}
	for _, t := range d.Tables {
		if err := t.check(); err != nil {
			return fmt.Errorf("table %q: %w", t.Name, err)
		}
	}
	return nil
}

// complete finds keys of a type that are missing from a value, and nulls for
// lists and maps.
func complete(place string, v any, t reflect.Type) error {
	switch t.Kind() {
	case reflect.Pointer:
		if v == nil {
			return nil
		}
		return complete(place, v, t.Elem())
	case reflect.Slice, reflect.Map:
		if v == nil {
			return fmt.Errorf("%s is null", place)
		}
		items, _ := v.([]any)
		for i, item := range items {
			if err := complete(fmt.Sprintf("%s[%d]", place, i), item, t.Elem()); err != nil {
				return err
			}
		}
		entries, _ := v.(map[string]any)
		for k, item := range entries {
			if err := complete(place+"."+k, item, t.Elem()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		fields, ok := v.(map[string]any)
		if !ok {
			return nil // a time
		}
		for f := range t.Fields() {
			key := f.Tag.Get("json")
			value, ok := fields[key]
			if !ok {
				return fmt.Errorf("%s has no %s", place, key)
			}
			if err := complete(place+"."+key, value, f.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) check() error {
	keys := make(map[string]bool)
	for _, f := range t.Figures {
		keys[f.Key] = true
	}
	for _, r := range t.Rows {
		if len(r.Labels) != len(t.Labels) {
			return fmt.Errorf("row %q has not the labels %q", r.Labels, t.Labels)
		}
		for k, s := range r.Figures {
			if !keys[k] {
				return fmt.Errorf("row %q has a figure %q that the table does not tell", r.Labels, k)
			}
			if len(s.Rounds) == 0 || s.Min > s.Median || s.Median > s.Max {
				return errors.New("a spread is out of order")
			}
		}
	}
	return nil
}
