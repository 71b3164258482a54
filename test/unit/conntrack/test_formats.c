/* One entry in every format, field by field as the formats are specified. */
#include "fmt.h"

#include "cmt.h"
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t label_words[4] = {1u << 1 | 1u << 5, 0, 0, 0};

static struct ct_rec
tcp_flow(void)
{
	return (struct ct_rec){
		.family = AF_INET,
		.has = REC_STATUS | REC_TIMEOUT | REC_STATE | REC_MARK | REC_USE | REC_ID | REC_ORIG | REC_REPLY,
		.orig = {.src = {AF_INET, {{10, 77, 0, 1}}},
			 .dst = {AF_INET, {{10, 77, 0, 2}}},
			 .sport = 53678,
			 .dport = 21,
			 .proto = 6},
		.reply = {.src = {AF_INET, {{10, 77, 0, 2}}},
			  .dst = {AF_INET, {{10, 77, 0, 1}}},
			  .sport = 21,
			  .dport = 53678,
			  .proto = 6},
		.timeout = 431998,
		.status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED,
		.state = 3,
		.use = 1,
		.id = 4242,
	};
}

typedef void (*flow_fn)(struct out *o, const struct ct_rec *rec, const struct fmt *f);

/* The line without its newline, in a static buffer. */
static const char *
line(flow_fn fn, const struct ct_rec *rec, const struct fmt *f)
{
	static char text[4096];
	struct out o;

	assert_int_equal(out_init(&o, -1), 0);
	fn(&o, rec, f);
	assert_true(o.len > 0 && o.len < sizeof(text));
	assert_int_equal(o.buf[o.len - 1], '\n');
	memcpy(text, o.buf, o.len - 1);
	text[o.len - 1] = '\0';
	out_done(&o);
	return text;
}

static void
text_plain(void **state)
{
	struct ct_rec rec = tcp_flow();
	struct fmt f = {0};

	(void)state;
	assert_string_equal(line(text_flow, &rec, &f),
			    "tcp      6 431998 ESTABLISHED src=10.77.0.1 dst=10.77.0.2 sport=53678 dport=21 "
			    "src=10.77.0.2 dst=10.77.0.1 sport=21 dport=53678 [ASSURED] mark=0 use=1");
	f.extended = f.id = true;
	rec.status = IPS_CONFIRMED | IPS_OFFLOAD;
	rec.has |= REC_ZONE;
	rec.zone = 7;
	assert_string_equal(
		line(text_flow, &rec, &f),
		"ipv4     2 tcp      6 431998 ESTABLISHED src=10.77.0.1 dst=10.77.0.2 sport=53678 dport=21 "
		"[UNREPLIED] src=10.77.0.2 dst=10.77.0.1 sport=21 dport=53678 [OFFLOAD] mark=0 zone=7 use=1 "
		"id=4242");
}

static void
text_everything(void **state)
{
	struct ct_rec rec = tcp_flow();
	struct fmt f = {
		.event = EV_DESTROY, .timestamp = true, .when = {12, 34000}, .ktimestamp = true, .progname = "x"};

	(void)state;
	setenv("TZ", "UTC", 1);
	rec.has = REC_STATUS | REC_COUNT_ORIG | REC_COUNT_REPLY | REC_SECMARK | REC_START | REC_STOP | REC_ORIG |
		  REC_REPLY;
	rec.orig.has |= TUPLE_ZONE;
	rec.orig.zone = 3;
	rec.reply.has |= TUPLE_ZONE;
	rec.count[0] = (struct ct_counters){1, UINT64_MAX};
	rec.secmark = 9;
	rec.secctx = (struct text){"ctx", 3};
	rec.start = UINT64_C(1000000000000999999);
	rec.stop = UINT64_C(1000000002000000000);
	rec.helper = (struct text){"ftp", 3};
	rec.portid = 77;
	assert_string_equal(line(text_flow, &rec, &f),
			    "[00000012.000034]\t[DESTROY] tcp      6 src=10.77.0.1 dst=10.77.0.2 sport=53678 dport=21 "
			    "zone-orig=3 packets=1 bytes=18446744073709551615 src=10.77.0.2 dst=10.77.0.1 sport=21 "
			    "dport=53678 zone-reply=0 packets=0 bytes=0 [ASSURED] secmark=9 secctx=ctx delta-time=2 "
			    "[start=Sun Sep  9 01:46:40 2001] [stop=Sun Sep  9 01:46:42 2001] helper=ftp "
			    "[USERSPACE] portid=77 progname=x");
}

static void
text_protocols(void **state)
{
	struct fmt f = {0};
	struct ct_rec rec = tcp_flow();

	(void)state;
	rec.has = REC_TIMEOUT | REC_STATUS | REC_REPLY;
	rec.orig.proto = 47;
	rec.orig.sport = 0x10;
	assert_non_null(strstr(line(text_flow, &rec, &f),
			       "gre      47 431998 src=10.77.0.1 dst=10.77.0.2 srckey=0x10 dstkey=0x15 "));
	rec.orig.proto = 1;
	rec.orig.icmp_type = 8;
	rec.orig.icmp_id = 77;
	assert_non_null(strstr(line(text_flow, &rec, &f),
			       "icmp     1 431998 src=10.77.0.1 dst=10.77.0.2 type=8 code=0 id=77 "));
	rec.orig.proto = 200;
	assert_string_equal(line(text_flow, &rec, &f),
			    "unknown  200 431998 src=10.77.0.1 dst=10.77.0.2 src=10.77.0.2 dst=10.77.0.1 [ASSURED]");
	rec.orig.proto = 132;
	rec.has |= REC_STATE;
	rec.state = 200;
	assert_non_null(strstr(line(text_flow, &rec, &f), "sctp     132 431998 NONE src"));
}

static struct labelmap *
labels(const char *text)
{
	FILE *fp = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct labelmap *m = labelmap_read(fp);

	fclose(fp);
	return m;
}

static void
text_labels(void **state)
{
	struct labelmap *m = labels("1 web\n5 five\n"), *none = labels("9 nine\n");
	struct ct_rec rec = tcp_flow();
	struct fmt f = {.labels = m};

	(void)state;
	rec.labels = (const uint8_t *)label_words;
	rec.label_words = 4;
	assert_non_null(strstr(line(text_flow, &rec, &f), " use=1 labels=web,five"));
	assert_non_null(strstr(line(json_flow, &rec, &f), "\"labels\":[\"web\",\"five\"]"));
	assert_non_null(strstr(line(xml_flow, &rec, &f), "<labels><label>web</label><label>five</label></labels>"));
	assert_non_null(strstr(line(save_flow, &rec, &f), "--label-add \"web,five\""));
	f.labels = none;
	assert_null(strstr(line(text_flow, &rec, &f), "labels"));
	assert_non_null(strstr(line(save_flow, &rec, &f), " labels=0x22,0x0,0x0,0x0"));
	labelmap_free(m);
	labelmap_free(none);
}

static void
save_lines(void **state)
{
	struct ct_rec rec = tcp_flow();
	struct fmt f = {0};

	(void)state;
	assert_string_equal(
		line(save_flow, &rec, &f),
		"-A -t 431998 -u SEEN_REPLY,ASSURED -s 10.77.0.1 -d 10.77.0.2 -r 10.77.0.2 -q 10.77.0.1 -p tcp "
		"--sport 53678 --dport 21 --reply-port-src 21 --reply-port-dst 53678 --state ESTABLISHED");
	f.deleted = true;
	assert_non_null(strstr(line(save_flow, &rec, &f), "-D -t "));
	f = (struct fmt){.event = EV_UPDATE};
	rec.has &= ~(uint32_t)REC_TIMEOUT;
	rec.status = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
	rec.reply.dst.u.b[0] = 9;
	rec.portid = 5;
	assert_string_equal(
		line(save_flow, &rec, &f),
		"-U -u UNSET -s 10.77.0.1 -d 10.77.0.2 -r 10.77.0.2 -n 9.77.0.1 -p tcp --sport 53678 --dport 21 "
		"--reply-port-src 21 --reply-port-dst 53678 --state ESTABLISHED [USERSPACE] portid=5");
}

static void
xml_lines(void **state)
{
	struct ct_rec rec = tcp_flow();
	struct fmt f = {0};

	(void)state;
	assert_string_equal(
		line(xml_flow, &rec, &f),
		"<flow><meta direction=\"original\"><layer3 protonum=\"2\" "
		"protoname=\"ipv4\"><src>10.77.0.1</src><dst>10.77.0.2</dst>"
		"</layer3><layer4 protonum=\"6\" "
		"protoname=\"tcp\"><sport>53678</sport><dport>21</dport></layer4></meta>"
		"<meta direction=\"reply\"><layer3 protonum=\"2\" "
		"protoname=\"ipv4\"><src>10.77.0.2</src><dst>10.77.0.1</dst></layer3>"
		"<layer4 protonum=\"6\" protoname=\"tcp\"><sport>21</sport><dport>53678</dport></layer4></meta>"
		"<meta "
		"direction=\"independent\"><state>ESTABLISHED</state><timeout>431998</timeout><mark>0</mark><use>1</"
		"use>"
		"<id>4242</id><assured/></meta></flow>");
	rec.secctx = (struct text){"a<b>&\1", 6};
	f.event = EV_NEW;
	assert_non_null(strstr(line(xml_flow, &rec, &f), "<flow type=\"new\">"));
	assert_non_null(strstr(line(xml_flow, &rec, &f), "<secctx>a&lt;b&gt;&amp;?</secctx>"));
}

static void
json_lines(void **state)
{
	struct ct_rec rec = tcp_flow();
	struct fmt f = {.event = EV_NEW};

	(void)state;
	rec.mark = UINT32_MAX;
	rec.status = IPS_SRC_NAT_DONE | IPS_SRC_NAT;
	rec.reply.dport = 9;
	rec.helper = (struct text){"f\"\\\n", 4};
	rec.secctx = (struct text){"\xff", 1};
	assert_string_equal(
		line(json_flow, &rec, &f),
		"{\"event\":\"new\",\"family\":\"ipv4\",\"proto\":\"tcp\",\"protonum\":6,\"timeout\":431998,\"state\":"
		"\"ESTABLISHED\","
		"\"orig\":{\"src\":\"10.77.0.1\",\"dst\":\"10.77.0.2\",\"sport\":53678,\"dport\":21},"
		"\"reply\":{\"src\":\"10.77.0.2\",\"dst\":\"10.77.0.1\",\"sport\":21,\"dport\":9},"
		"\"status\":[\"SRC_NAT\",\"SRC_NAT_DONE\"],\"nat\":{\"src\":{\"addr\":\"10.77.0.1\",\"port\":9}},"
		"\"mark\":4294967295,\"secctx\":\"?\",\"helper\":\"f\\\"\\\\\\n\",\"use\":1,\"id\":4242}");
}

static void
events(void **state)
{
	(void)state;
	assert_int_equal(fmt_event_of(IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL), EV_NEW);
	assert_int_equal(fmt_event_of(IPCTNL_MSG_CT_NEW, 0), EV_UPDATE);
	assert_int_equal(fmt_event_of(IPCTNL_MSG_CT_DELETE, 0), EV_DESTROY);
	assert_int_equal(fmt_event_of(IPCTNL_MSG_CT_GET, 0), EV_NONE);
}

static void
expectations(void **state)
{
	struct exp_rec rec = {
		.has = EXP_TIMEOUT | EXP_CLASS | EXP_FLAGS | EXP_TUPLE,
		.timeout = 298,
		.exp_flags = 5,
		.tuple = {.src = {AF_INET, {{1, 1, 1, 1}}},
			  .dst = {AF_INET, {{2, 2, 2, 2}}},
			  .dport = 40000,
			  .proto = 6},
		.mask = {.src = {AF_INET, {{255, 255, 255, 255}}},
			 .dst = {AF_INET, {{255, 255, 255, 255}}},
			 .dport = 65535},
		.master = {.src = {AF_INET, {{3, 3, 3, 3}}},
			   .dst = {AF_INET, {{4, 4, 4, 4}}},
			   .sport = 5,
			   .dport = 21,
			   .proto = 6},
		.helper = {"ftp", 3},
	};
	struct fmt f = {0};
	struct out o;

	(void)state;
	assert_int_equal(out_init(&o, -1), 0);
	text_expect(&o, &rec, &f);
	out_mem(&o, "", 1);
	assert_string_equal(
		o.buf, "298 proto=6 src=1.1.1.1 dst=2.2.2.2 sport=0 dport=40000 mask-src=255.255.255.255 "
		       "mask-dst=255.255.255.255 sport=0 dport=65535 master-src=3.3.3.3 master-dst=4.4.4.4 sport=5 "
		       "dport=21 PERMANENT,USERSPACE class=0 helper=ftp\n");
	o.len = 0;
	xml_expect(&o, &rec, &f);
	out_mem(&o, "", 1);
	assert_non_null(strstr(o.buf,
			       "<layer4 protonum=\"6\" protoname=\"tcp\"><expected><sport>0</sport><dport>40000</dport>"
			       "</expected><mask><sport>0</sport><dport>65535</dport></mask>"));
	o.len = 0;
	json_expect(&o, &rec, &f);
	out_mem(&o, "", 1);
	assert_non_null(strstr(o.buf, "\"flags\":[\"PERMANENT\",\"USERSPACE\"],\"class\":0,\"helper\":\"ftp\"}\n"));
	out_done(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_plain),  cmocka_unit_test(text_everything), cmocka_unit_test(text_protocols),
		cmocka_unit_test(text_labels), cmocka_unit_test(save_lines),      cmocka_unit_test(xml_lines),
		cmocka_unit_test(json_lines),  cmocka_unit_test(events),          cmocka_unit_test(expectations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
