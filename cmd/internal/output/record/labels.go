package record

import "github.com/hopquote/hopquote/frame"

// Labels goes through the entries of all MPLS label stacks in the reply's
// extensions (RFC 4950), from the top.
func (r *Reply) Labels(yield func(frame.LabelEntry) bool) {
	objects := frame.Objects(r.Ext)
	for o, ok := objects.Next(); ok; o, ok = objects.Next() {
		if o.Class != frame.ClassMPLS || o.Type != frame.TypeMPLSIncoming {
			continue
		}
		labels := frame.Labels(o.Data)
		for l, ok := labels.Next(); ok; l, ok = labels.Next() {
			if !yield(l) {
				return
			}
		}
	}
}
