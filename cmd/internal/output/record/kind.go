package record

import "github.com/hopquote/hopquote/frame"

// KindName names a kind of reply as outputs do.
func KindName(k frame.Kind) string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "other"
}

var kindNames = map[frame.Kind]string{
	frame.KindTimeExceeded: "time_exceeded", frame.KindUnreachable: "unreachable",
	frame.KindTooBig: "too_big", frame.KindParamProblem: "parameter_problem",
	frame.KindEchoReply: "echo_reply", frame.KindUDP: "udp", frame.KindTCP: "tcp",
	frame.KindUDPLite: "udplite", frame.KindDCCP: "dccp", frame.KindRaw: "raw",
}
