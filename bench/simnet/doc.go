// Package simnet is a simulated path: it stands at the far end of a link,
// answers for its neighbours there, and answers probes as a text script says,
// hop by hop, with what real routers and hosts do and with what they should
// not do. script.md describes the scripts.
//
// A Responder is the path itself, without sockets or a clock: a received frame
// goes in, the frames to send and their delays come out. Start puts one at the
// end of a link of package lab.
//
//	h1 veth1-h1 --- veth1-sim sim
//
// h1 is an ordinary host with the script's source addresses and a default
// route to the script's gateways. The host sim has no addresses: its kernel
// stays silent, and all that it seems to say is said by the Sim.
package simnet
