/* SPDX-License-Identifier: Apache-2.0 */
#include <rapidcheck.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "graph_support.h"
#include "support/allocation_failures.h"
#include "support/temporary_folder.h"

namespace {

const pkin_graph_format formats[] = {PKIN_GRAPH_EDGE_LIST, PKIN_GRAPH_GRAPHML, PKIN_GRAPH_GEXF};

struct Folder : TemporaryFolder {
    std::string file = str("graph");

    pkin_status read(const std::string &bytes, GraphHandle *out = nullptr) {
        std::filesystem::remove(file); /* some file systems write a file that is overwritten to the disk at once */
        write_bytes(file, bytes);
        pkin_graph *graph = reinterpret_cast<pkin_graph *>(1);
        pkin_status status = pkin_graph_read_file(file.c_str(), &graph);
        EXPECT_EQ(status == PKIN_OK, graph != nullptr);
        if (out)
            *out = hold(graph);
        else
            pkin_graph_free(graph);
        return status;
    }
    GraphHandle must_read(const std::string &bytes) {
        GraphHandle graph = hold(nullptr);
        EXPECT_EQ(read(bytes, &graph), PKIN_OK) << pkin_last_error() << "\n" << bytes;
        return graph;
    }
    std::string written(const pkin_graph *graph, pkin_graph_format format, const pkin_graph_notes *notes = nullptr) {
        EXPECT_EQ(pkin_graph_write_file(graph, format, notes, file.c_str()), PKIN_OK) << pkin_last_error();
        return read_bytes(file);
    }
    GraphHandle round_trip(const pkin_graph *graph, pkin_graph_format format) {
        return must_read(written(graph, format));
    }
};

/* Edges by names, which do not depend on the nodes' order. */
std::map<std::pair<std::string, std::string>, double> named_edges(const pkin_graph *graph) {
    std::map<std::pair<std::string, std::string>, double> edges;
    std::vector<std::string> names = names_of(graph);
    for (auto [ends, weight] : edges_of(graph)) {
        std::string a = names[ends.first], b = names[ends.second];
        edges[{std::min(a, b), std::max(a, b)}] = weight;
    }
    return edges;
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

/* ---- Round trips ---- */

TEST(GraphFiles, GiveTheSameGraphBack) {
    Folder folder;
    GraphHandle graph = graph_of(4, {{0, 2, 0.1}, {2, 3, 1.0 / 3}, {0, 3, std::ldexp(1.0, -30)}}, {"x", "y", "z", "w"});
    for (pkin_graph_format format : formats) {
        GraphHandle back = folder.round_trip(graph.get(), format);
        EXPECT_EQ(named_edges(back.get()), named_edges(graph.get())) << format;
        EXPECT_EQ(pkin_graph_n_nodes(back.get()), 4u);
    }
    for (pkin_graph_format format : {PKIN_GRAPH_GRAPHML, PKIN_GRAPH_GEXF}) /* which keep the order of the nodes, too */
        EXPECT_EQ(names_of(folder.round_trip(graph.get(), format).get()), names_of(graph.get()));
}

TEST(GraphFiles, NumbersStandForNodesWithoutNames) {
    Folder folder;
    GraphHandle graph = graph_of(5, {{4, 1, 0.5}, {1, 0, 0.25}});
    for (pkin_graph_format format : formats) {
        GraphHandle back = folder.round_trip(graph.get(), format);
        EXPECT_EQ(edges_of(back.get()), edges_of(graph.get())) << format;
        EXPECT_EQ(pkin_graph_n_nodes(back.get()), 5u);
        EXPECT_EQ(pkin_graph_name(back.get(), 0), nullptr) << format;
    }
    EXPECT_EQ(folder.written(graph.get(), PKIN_GRAPH_EDGE_LIST), "0\t1\t0.25\n1\t4\t0.5\n2\n3\n");
}

TEST(GraphFiles, MayBeOfNoNodes) {
    Folder folder;
    GraphHandle graph = graph_of(0, {});
    for (pkin_graph_format format : formats)
        EXPECT_EQ(pkin_graph_n_nodes(folder.round_trip(graph.get(), format).get()), 0u) << format;
    EXPECT_EQ(folder.written(graph.get(), PKIN_GRAPH_EDGE_LIST), "");
}

/* Any bytes but NUL in edge lists; what XML can hold in the others. Any weights. */
TEST(GraphFiles, AnyNamesAndWeightsSurvive) {
    Folder folder;
    EXPECT_TRUE(rc::check("round trip", [&folder] {
        auto format = *rc::gen::element(PKIN_GRAPH_EDGE_LIST, PKIN_GRAPH_GRAPHML, PKIN_GRAPH_GEXF);
        auto piece = rc::gen::element<std::string>(" ", "\t", "\n", "\r", "\\", "#", "<", ">", "&", "\"", "'", "x41",
                                                   "t", "e", "\xC3\xA9", "\xE2\x80\xAE", "\xC2\x85", "\xEF\xBB\xBF",
                                                   "\xF0\x9F\x98\x80", "]]>", "\x7F", "\\x41", "0", ";", ",");
        auto byte = rc::gen::map(rc::gen::inRange(1, 256), [](int c) { return std::string(1, static_cast<char>(c)); });
        auto any = format == PKIN_GRAPH_EDGE_LIST ? rc::gen::oneOf(piece, byte) : piece;
        auto n = *rc::gen::inRange<uint32_t>(1, 6);
        std::vector<std::string> names;
        for (uint32_t v = 0; v < n; v++) {
            std::string name;
            for (const std::string &p : *rc::gen::container<std::vector<std::string>>(any)) name += p;
            names.push_back(name + static_cast<char>('a' + v)); /* not empty, and not like the others */
            std::rotate(names.back().begin(), names.back().end() - 1, names.back().end() - *rc::gen::inRange(0, 2));
        }
        if (std::set<std::string>(names.begin(), names.end()).size() < n) RC_DISCARD("equal names");
        std::vector<pkin_edge> edges;
        for (uint32_t v = 1; v < n; v++) {
            uint64_t bits = *rc::gen::arbitrary<uint64_t>();
            double weight =
                std::ldexp(1.0 + std::ldexp(static_cast<double>(bits >> 12), -52), *rc::gen::inRange(-1074, 1023));
            if (*rc::gen::arbitrary<bool>() && weight > 0) edges.push_back({v, v - 1, weight});
        }
        GraphHandle graph = graph_of(n, edges, names), back = folder.round_trip(graph.get(), format);
        std::vector<std::string> read = names_of(back.get());
        std::sort(names.begin(), names.end());
        std::sort(read.begin(), read.end());
        RC_ASSERT(read == names);
        RC_ASSERT(named_edges(back.get()) == named_edges(graph.get()));
    }));
}

/* The first name must not make the file look like XML, or be taken for a byte order mark. */
TEST(GraphFiles, FirstNamesMayLookLikeOtherFormats) {
    Folder folder;
    for (const char *first : {"<graphml>",
                              "\xEF\xBB\xBF"
                              "b",
                              "source", "#"}) {
        GraphHandle graph = graph_of(2, {{0, 1, 0.5}}, {first, "target"});
        EXPECT_EQ(names_of(folder.round_trip(graph.get(), PKIN_GRAPH_EDGE_LIST).get())[0], first);
    }
    GraphHandle graph = graph_of(1, {}, {"a\xFF\xC3"});
    EXPECT_EQ(folder.written(graph.get(), PKIN_GRAPH_EDGE_LIST), "a\\xFF\\xC3\n");
}

/* Only all numbers from 0 on, each once and as one writes them, are numbers of nodes. */
TEST(GraphFiles, NamesThatAreAlmostNumbersAreNames) {
    Folder folder;
    for (const std::vector<std::string> &names : {std::vector<std::string>{"0", "0"},
                                                  {"00", "1"},
                                                  {"01", "0"},
                                                  {"1", "2"},
                                                  {"0", "n1"},
                                                  {"n0", "n1"},
                                                  {"0", "x"},
                                                  {"0", "1 "}}) {
        GraphHandle graph = graph_of(2, {{0, 1, 0.5}}, names);
        EXPECT_EQ(names_of(folder.round_trip(graph.get(), PKIN_GRAPH_GRAPHML).get()), names) << names[0];
        if (names[0] == names[1]) continue;
        EXPECT_EQ(names_of(folder.round_trip(graph.get(), PKIN_GRAPH_EDGE_LIST).get()), names) << names[0];
    }
}

TEST(GraphFiles, ManyNodesAreKeptApart) {
    Folder folder;
    std::vector<std::string> names;
    std::vector<pkin_edge> edges;
    for (uint32_t v = 0; v < 2000; v++) {
        names.push_back("p" + std::to_string(v));
        if (v) edges.push_back({v, v - 1, 1.0 / v});
    }
    GraphHandle graph = graph_of(2000, edges, names);
    for (pkin_graph_format format : formats)
        EXPECT_EQ(named_edges(folder.round_trip(graph.get(), format).get()), named_edges(graph.get()));
}

TEST(GraphFiles, WhatXmlCannotHoldIsReplaced) {
    Folder folder;
    GraphHandle graph = graph_of(2, {{0, 1, 1}}, {"a\x01\xFF\xEF\xBF\xBF", "b"});
    for (pkin_graph_format format : {PKIN_GRAPH_GRAPHML, PKIN_GRAPH_GEXF})
        EXPECT_EQ(names_of(folder.round_trip(graph.get(), format).get())[0], "a\uFFFD\uFFFD\uFFFD");
}

/* A reader of the file must not see what the writer of a title did not mean. */
TEST(GraphFiles, HiddenCharactersAreWrittenAsNumbers) {
    Folder folder;
    GraphHandle graph = graph_of(2, {{0, 1, 1}},
                                 {"a\xE2\x80\xAE"
                                  "b",
                                  "c\x1B[31m"});
    for (pkin_graph_format format : formats) {
        std::string text = folder.written(graph.get(), format);
        EXPECT_FALSE(contains(text, "\xE2\x80\xAE")) << format;
        EXPECT_FALSE(contains(text, "\x1B")) << format;
    }
}

TEST(GraphFiles, EqualNamesNeedAFormatWithIds) {
    Folder folder;
    GraphHandle graph = graph_of(3, {{0, 1, 0.5}, {1, 2, 0.25}}, {"same", "same", "other"});
    EXPECT_EQ(pkin_graph_write_file(graph.get(), PKIN_GRAPH_EDGE_LIST, nullptr, folder.file.c_str()),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_FALSE(std::filesystem::exists(folder.file));
    GraphHandle back = folder.round_trip(graph.get(), PKIN_GRAPH_GRAPHML);
    EXPECT_EQ(edges_of(back.get()), edges_of(graph.get()));
    EXPECT_EQ(names_of(back.get()), names_of(graph.get()));
}

TEST(GraphFiles, NotesAreWrittenBeside) {
    Folder folder;
    GraphHandle graph = graph_of(3, {{0, 1, 0.5}}, {"a", "b", "c"});
    const char *titles[] = {"On <graphs> & \"more\"", nullptr, "T\tU"}, *labels[] = {"one & two"};
    const uint32_t clusters[] = {0, 0, PKIN_NO_CLUSTER};
    pkin_graph_notes notes = pkin_graph_notes_default();
    notes.titles = titles;
    notes.clusters = clusters;
    notes.cluster_labels = labels;
    std::string graphml = folder.written(graph.get(), PKIN_GRAPH_GRAPHML, &notes);
    EXPECT_TRUE(contains(graphml,
                         "<node id=\"n0\"><data key=\"name\">a</data><data key=\"title\">On &lt;graphs&gt; &amp; "
                         "&quot;more&quot;</data><data key=\"cluster\">0</data><data "
                         "key=\"cluster_label\">one &amp; two</data></node>"));
    EXPECT_TRUE(contains(graphml, "<node id=\"n1\"><data key=\"name\">b</data><data key=\"cluster\">0</data>"));
    EXPECT_TRUE(
        contains(graphml, "<node id=\"n2\"><data key=\"name\">c</data><data key=\"title\">T&#x9;U</data></node>"));
    std::string gexf = folder.written(graph.get(), PKIN_GRAPH_GEXF, &notes);
    EXPECT_TRUE(contains(gexf, "<attvalue for=\"cluster_label\" value=\"one &amp; two\"/>"));
    for (pkin_graph_format format : formats) {
        GraphHandle back = folder.must_read(folder.written(graph.get(), format, &notes));
        EXPECT_EQ(named_edges(back.get()), named_edges(graph.get()));
    }
}

TEST(GraphFiles, WritingSaysWhatIsWrong) {
    Folder folder;
    GraphHandle graph = graph_of(2, {{0, 1, 1}});
    EXPECT_EQ(pkin_graph_write_file(nullptr, PKIN_GRAPH_GEXF, nullptr, folder.file.c_str()),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_write_file(graph.get(), PKIN_GRAPH_GEXF, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_write_file(graph.get(), static_cast<pkin_graph_format>(9), nullptr, folder.file.c_str()),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_write_file(graph.get(), PKIN_GRAPH_GEXF, nullptr, folder.str("no/such/folder").c_str()),
              PKIN_ERROR_IO);
    pkin_graph *out = nullptr;
    EXPECT_EQ(pkin_graph_read_file(folder.str("missing").c_str(), &out), PKIN_ERROR_IO);
    EXPECT_EQ(out, nullptr);
}

/* ---- Files of others ---- */

TEST(GraphFiles, EdgeListsComeInManyForms) {
    Folder folder;
    const std::map<std::pair<std::string, std::string>, double> expected = {{{"a", "b"}, 0.5}, {{"b", "c"}, 1}};
    for (const char *text : {"a b 0.5\nb c\n", "a\tb\t0.5\r\nb\tc\t1\r\n", "source target weight\na b 5e-1\nc b 1.0",
                             "# nodes\n\n  a   b  .5  # near\n\nb c\nb c 0.25\n", "Source\tTarget\na\tb\t+0.5\nc\tb\n",
                             "\xEF\xBB\xBF"
                             "a b 0.5\nb c\nc c 7\n",
                             "a b 0.5\nb a 0.25\nb c\t\n"})
        EXPECT_EQ(named_edges(folder.must_read(text).get()), expected) << text;
    EXPECT_EQ(names_of(folder.must_read("one two\tthree\t1\nfour\n").get()),
              (std::vector<std::string>{"one two", "three", "four"}));
    EXPECT_EQ(names_of(folder.must_read("a b\nsource target\n").get()).size(), 4u); /* a heading comes first */
    EXPECT_EQ(names_of(folder.must_read("C#\tF#\t1\n").get()), (std::vector<std::string>{"C#", "F#"}));
    EXPECT_EQ(names_of(folder.must_read("C:\\dir\tx\\q\\x4\\x00\t1\n").get()),
              (std::vector<std::string>{"C:\\dir", "x\\q\\x4\\x00"}));
    EXPECT_EQ(edges_of(folder.must_read("2 0 0.5\n1\n").get()), (EdgeMap{{{0, 2}, 0.5}}));
    EXPECT_EQ(pkin_graph_n_nodes(folder.must_read("\n\n# nothing\n").get()), 0u);
}

const char *graphml_head = "<?xml version=\"1.0\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
                           "<key id=\"d1\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n"
                           "<key id=\"d2\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n";

std::string graphml(const std::string &body) {
    return graphml_head + ("<graph edgedefault=\"directed\">" + body) + "</graph></graphml>";
}

TEST(GraphFiles, GraphmlOfOthers) {
    Folder folder;
    GraphHandle graph = folder.must_read(
        graphml("<edge source='y' target='x'><data key='d1'> 0.5 </data><data key='d9'>3</data></edge>"
                "<node id='x'><data key='d2'>an <!-- odd --> <![CDATA[<name>]]></data></node><node id='y'/>"
                "<node id='z'/><edge source='z' target='x'/><edge source='z' target='z'/>"
                "<edge source='x' target='y'><data key='d1'>0.25</data></edge>"));
    EXPECT_EQ(names_of(graph.get()), (std::vector<std::string>{"an  <name>", "y", "z"}));
    EXPECT_EQ(edges_of(graph.get()), (EdgeMap{{{0, 1}, 0.5}, {{0, 2}, 1.0}}));
    /* With a default, nodes in nodes, a prefix, and a name beside the label. */
    graph = folder.must_read(
        "<g:graphml xmlns:g='u'><g:key id='w' for='all' attr.name='weight'><g:default>2.5</g:default></g:key>"
        "<g:key id='l' for='node' attr.name='label'/><g:key id='n' for='node' attr.name='name'/>"
        "<g:graph><g:node id='a'><g:data key='l'>label</g:data><g:graph><g:node id='b'/></g:graph>"
        "<g:data key='n'>name</g:data></g:node><g:edge source='a' target='b'/></g:graph></g:graphml>");
    EXPECT_EQ(named_edges(graph.get()), (std::map<std::pair<std::string, std::string>, double>{{{"b", "name"}, 2.5}}));
    graph = folder.must_read(graphml("<node id='n1'/><node id='n0'/><edge source='n1' target='n0'/>"));
    EXPECT_EQ(pkin_graph_name(graph.get(), 0), nullptr);
}

std::string gexf(const std::string &body) {
    return "<gexf xmlns='http://gexf.net/1.3' version='1.3'><graph>" + body + "</graph></gexf>";
}

TEST(GraphFiles, GexfOfOthers) {
    Folder folder;
    GraphHandle graph = folder.must_read(gexf(
        "<attributes class='node'><attribute id='0' title='weight' type='float'/></attributes>"
        "<attributes class='edge'><attribute id='1' title='weight' type='float'/></attributes>"
        "<attributes class='node'><attribute id='2' title='weight' type='float'/></attributes>"
        "<nodes><node id='5' label='five'><attvalues><attvalue for='0' value='x'/></attvalues></node>"
        "<node id='6'><nodes><node id='7' label=''/></nodes></node></nodes>"
        "<edges><edge source='5' target='6' weight='0.5'><attvalues><attvalue for='1' value='9'/></attvalues></edge>"
        "<edge source='6' target='7'><attvalues><attvalue for='1' value='0.75'/></attvalues></edge>"
        "<edge source='7' target='5'/></edges>"));
    EXPECT_EQ(names_of(graph.get()), (std::vector<std::string>{"five", "6", "7"}));
    EXPECT_EQ(edges_of(graph.get()), (EdgeMap{{{0, 1}, 0.5}, {{1, 2}, 0.75}, {{0, 2}, 1.0}}));
}

TEST(GraphFiles, XmlMayBeUtf16) {
    Folder folder;
    std::string wide = "\xFF\xFE";
    for (char c : graphml("<node id='a'/><node id='b'/><edge source='a' target='b'/>")) wide += {c, '\0'};
    EXPECT_EQ(edges_of(folder.must_read(wide).get()), (EdgeMap{{{0, 1}, 1.0}}));
}

TEST(GraphFiles, PackedFilesAreUnpacked) {
    Folder folder;
    gzFile out = gzopen(folder.file.c_str(), "wb");
    gzputs(out, "a b 0.5\n");
    gzclose(out);
    pkin_graph *graph = nullptr;
    ASSERT_EQ(pkin_graph_read_file(folder.file.c_str(), &graph), PKIN_OK);
    EXPECT_EQ(edges_of(hold(graph).get()), (EdgeMap{{{0, 1}, 0.5}}));
}

/* ---- Damaged and hostile files ---- */

struct Damaged {
    std::string text, expected;
    pkin_status status = PKIN_ERROR_CORRUPT;
};

TEST(GraphFiles, DamageIsToldWithItsLine) {
    Folder folder;
    std::string deep = graphml(""), huge(70000, 'x');
    for (int i = 0; i < 300; i++) deep += "<node id='" + std::to_string(i) + "'><graph>";
    const Damaged cases[] = {
        {"a b 0.5\nb c x\n", ":2: the weight of an edge is \"x\", expected a number above 0"},
        {"a b 0\n", ":1: the weight"},
        {"a b -1\n", ":1: the weight"},
        {"a b nan\n", ":1: the weight"},
        {"a b 1e999\n", ":1: the weight"},
        {"a b 1 2\n", ":1: more than three fields"},
        {"a b\n\tb\t1\n", ":2: a name is empty"},
        {"a\t\t1\n", ":1: a name is empty"},
        {std::string("a b\nc\0d 1\n", 10), ":2: a byte 0x00"},
        {huge + " b\n", ":1: a name of 70000 bytes"},
        {"<svg/>", ":1: the XML is no graph: expected <graphml> or <gexf>"},
        {"<graphml>", "the XML is damaged"},
        {"<graphml></graphml>", "no <graph>"},
        {graphml("<node/>"), "a <node> without an id"},
        {graphml("<node id='a'/>\n<node id='a'/>"), ":6: a second <node>"},
        {graphml("<node id='a'/><edge source='a'/>"), "without source or target"},
        {graphml("\n<node id='a'/><edge source='a' target='b'/>"), ":6: an edge names the node \"b\""},
        {graphml("<node id='a'/><node id='b'/><edge source='a' target='b'><data key='d1'>x</data></edge>"),
         "the weight"},
        {graphml("<node id='a'/><node id='b'/><edge source='a' target='b'><data key='d1'/></edge>"), "the weight"},
        {graphml("<hyperedge/>"), "a <hyperedge>", PKIN_ERROR_UNSUPPORTED},
        {graphml("<edge source='a' target='b'><graph><edge source='a' target='b'/></graph></edge>"),
         "inside of an <edge>", PKIN_ERROR_UNSUPPORTED},
        {"<graphml><graph/><graph/></graphml>", "a second graph", PKIN_ERROR_UNSUPPORTED},
        {"<graphml><graph>" + deep.substr(deep.find("<node")), "nested deeper"},
        {graphml("<node id='" + huge + "'/>"), "a name of 70000 bytes"},
        {graphml("<node id='a'><data key='d2'>" + huge + "</data></node>"), "more than 65535 bytes"},
        {gexf("<nodes><node id='a' label='" + huge + "'/></nodes>"), "more than 65535 bytes"},
        {gexf("<nodes><node id='a'/><node id='b'/></nodes><edges><edge source='a' target='b' weight='0'/></edges>"),
         "the weight"},
        {"<?xml version='1.0'?><!DOCTYPE graphml [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><graphml><graph "
         "id='&b;'/></graphml>",
         ":1: the document declares an entity"},
        {"<?xml version='1.0'?><!DOCTYPE graphml [<!ENTITY % a SYSTEM "
         "'file:///etc/passwd'>%a;]><graphml><graph/></graphml>",
         ":1: the document declares an entity"},
        {"<!DOCTYPE graphml SYSTEM 'http://127.0.0.1:9/x.dtd'><graphml><graph><node "
         "id='a'>&x;</node></graph></graphml>",
         "a reference to an entity"},
    };
    for (const Damaged &c : cases) {
        EXPECT_EQ(folder.read(c.text), c.status) << c.text.substr(0, 200);
        EXPECT_TRUE(contains(pkin_last_error(), c.expected)) << pkin_last_error() << "\n" << c.text.substr(0, 200);
        EXPECT_TRUE(contains(pkin_last_error(), folder.file)) << pkin_last_error();
    }
    /* A document type alone is harmless. */
    EXPECT_EQ(folder.read("<!DOCTYPE graphml SYSTEM 'graphml.dtd'><graphml><graph/></graphml>"), PKIN_OK);
}

/* Whatever the bytes, reading ends with a graph or with a message, and leaves nothing behind. */
TEST(GraphFiles, MutatedAndRandomFilesAreHarmless) {
    Folder folder;
    std::mt19937 random(9);
    const std::string seeds[] = {
        "source target weight\na b 0.5\n# c\n\\x41\\t c 1e-3\nlone\n",
        graphml("<node id='a'><data key='d2'>x &amp; y</data></node><node id='b'/><edge source='a' target='b'><data "
                "key='d1'>0.5</data></edge>"),
        gexf("<attributes class='edge'><attribute id='1' title='weight'/></attributes><nodes><node id='a' "
             "label='x'/><node "
             "id='b'/></nodes><edges><edge source='a' target='b' weight='0.5'/></edges>")};
    const char alphabet[] = "<>/&;='\" \t\n#\\x0gnode!-[]";
    int n_read = 0, n_refused = 0;
    for (int i = 0; i < 1500; i++) {
        std::string text = seeds[i % 3];
        for (unsigned n = random() % 6; n > 0; n--) {
            size_t at = random() % text.size();
            switch (random() % 4) {
            case 0:
                text[at] = static_cast<char>(random());
                break;
            case 1:
                text.erase(at, 1 + random() % 9);
                break;
            case 2:
                text.insert(at, 1, alphabet[random() % (sizeof alphabet - 1)]);
                break;
            default:
                text.insert(at, text.substr(random() % text.size(), random() % 40));
            }
            if (text.empty()) text = "x";
        }
        pkin_status status = folder.read(text);
        (status == PKIN_OK ? n_read : n_refused)++;
        EXPECT_TRUE(status == PKIN_OK || status == PKIN_ERROR_CORRUPT || status == PKIN_ERROR_UNSUPPORTED) << text;
    }
    EXPECT_GT(n_read, 200);
    EXPECT_GT(n_refused, 200);
    for (int i = 0; i < 300; i++) {
        std::string text(random() % 60, '\0');
        for (char &c : text) c = static_cast<char>(random());
        if (i % 2) text = "<graphml><graph>" + text;
        folder.read(text);
    }
}

TEST(GraphFiles, LeaveNothingBehindWhenMemoryRunsOut) {
    Folder folder;
    GraphHandle graph = graph_of(3, {{0, 1, 0.5}, {1, 2, 0.25}}, {"a", "b", "c"});
    for (pkin_graph_format format : formats) {
        expect_clean_failures([&] { return pkin_graph_write_file(graph.get(), format, nullptr, folder.file.c_str()); });
        expect_clean_failures([&] {
            pkin_graph *back = nullptr;
            pkin_status status = pkin_graph_read_file(folder.file.c_str(), &back);
            EXPECT_EQ(status == PKIN_OK, back != nullptr);
            pkin_graph_free(back);
            return status;
        });
    }
}

} // namespace
