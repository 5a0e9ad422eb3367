package record

import "github.com/hopquote/hopquote/frame"

// KindName is the kind of a reply as outputs show it.
func KindName(k frame.Kind) string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "other"
}

var kindNames = [...]string{
	frame.KindTimeExceeded: "time_exceeded", frame.KindUnreachable: "unreachable",
	frame.KindTooBig: "too_big", frame.KindParamProblem: "parameter_problem",
	frame.KindEchoReply: "echo_reply", frame.KindUDP: "udp", frame.KindTCP: "tcp",
	frame.KindUDPLite: "udplite", frame.KindDCCP: "dccp", frame.KindRaw: "raw",
}
