package decode

import "bytes"

// hostRegion is the region that the address of a provider's API names, empty
// where it names none: eu of https://eu.api.openai.com/v1, us-central1 of
// us-central1-aiplatform.googleapis.com. Prices depend on it.
func hostRegion(address []byte) []byte {
	if len(address) == 0 {
		return nil
	}
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(address) > len(scheme) && string(address[:len(scheme)]) == scheme {
			address = address[len(scheme):]
			break
		}
	}
	end := 0
	for end < len(address) && address[end] != '/' && address[end] != ':' && address[end] != '?' {
		end++
	}
	host, path := address[:end], address[end:]
	if region, is := bytes.CutSuffix(host, []byte(".api.openai.com")); is {
		return label(region)
	}
	if region, is := bytes.CutSuffix(host, []byte(".amazonaws.com")); is {
		service, region, _ := bytes.Cut(region, []byte{'.'})
		if bytes.HasPrefix(service, []byte("bedrock")) {
			return label(region)
		}
		return nil
	}
	if region, is := bytes.CutSuffix(host, []byte(".api.aws")); is {
		if region, is = bytes.CutPrefix(region, []byte("bedrock-mantle.")); is {
			return label(region)
		}
		return nil
	}
	google, is := bytes.CutSuffix(host, []byte(".googleapis.com"))
	if !is {
		return nil
	}
	if region, is := bytes.CutSuffix(google, []byte("-aiplatform")); is {
		return label(region)
	}
	if region, is := bytes.CutPrefix(google, []byte("aiplatform.")); is { // of more than one region
		return label(bytes.TrimSuffix(region, []byte(".rep")))
	}
	if string(google) != "aiplatform" {
		return nil
	}
	if _, rest, is := bytes.Cut(path, []byte("/locations/")); is {
		region, _, _ := bytes.Cut(rest, []byte{'/'})
		return label(region)
	}
	return globalRegion
}

var globalRegion = []byte("global")

// label is s where it is one part of a host's name, else nothing.
func label(s []byte) []byte {
	for _, c := range s {
		if c != '-' && c-'0' > 9 && (c|0x20)-'a' > 25 {
			return nil
		}
	}
	return s
}
