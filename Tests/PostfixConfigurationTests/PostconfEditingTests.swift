import TestKit
import Testing

@testable import PostfixConfiguration

/// Our edits give what postconf's give, and keep every octet that they are not about.
@Suite struct PostconfEditingTests {
    @Test func `set and remove write what postconf writes`() throws {
        for name in SampleFile.mains {
            let octets = try SampleFile.main(name)
            let names = Set(MainConfiguration(octets).settings.map(\.name)).sorted()
            for parameter in names + ["queue_directory"] {
                var edited = MainConfiguration(octets)
                edited.set(parameter, to: "new value, of $myhostname")
                let setting = try PostconfOracle(main: octets)
                try setting.run(["-e", "\(parameter) = new value, of $myhostname"])
                #expect(try edited.octets == setting.octets("main.cf"), "\(name) \(parameter)")
                #expect(edited.setting(parameter)?.value == "new value, of $myhostname")

                var without = MainConfiguration(octets)
                without.remove(parameter)
                let removal = try PostconfOracle(main: octets)
                try removal.run(["-X", parameter])
                #expect(try without.octets == removal.octets("main.cf"), "\(name) \(parameter)")
            }
        }
    }

    @Test func `options mean what postconf makes of them`() throws {
        let octets = try SampleFile.octets("services.master.cf")
        for service in MasterConfiguration(octets).services where service.command != "spawn" {
            for name in Set(service.options.map(\.name)).union(["milter_protocol"]) {
                var edited = MasterConfiguration(octets)
                edited.setOption(name, of: service.key, to: "unix:x,unix:y")
                let oracle = try PostconfOracle(master: octets)
                try oracle.run(["-P", "\(service.key)/\(name)=unix:x,unix:y"])
                let ours = try PostconfOracle(master: edited.octets)
                #expect(try ours.values(["-P"]) == oracle.values(["-P"]), "\(service.key) \(name)")

                edited.removeOption(name, of: service.key)
                try oracle.run(["-PX", "\(service.key)/\(name)"])
                let without = try PostconfOracle(master: edited.octets)
                #expect(
                    try without.values(["-P"]) == oracle.values(["-P"]), "\(service.key) \(name)")
            }
        }
    }

    @Test func `an option that is added and removed leaves every octet`() throws {
        let octets = try SampleFile.octets("services.master.cf")
        for service in MasterConfiguration(octets).services {
            for value in ["a", "a b, c", "{a}"] {
                var edited = MasterConfiguration(octets)
                edited.setOption("milter_protocol", of: service.key, to: value)
                #expect(edited.service(service.key)?.option("milter_protocol")?.value == value)
                #expect(
                    edited.services.map(\.key) == MasterConfiguration(octets).services.map(\.key))
                edited.removeOption("milter_protocol", of: service.key)
                #expect(edited.octets == octets, "\(service.key)")
            }
        }
    }

    @Test(arguments: [
        ("m = a\n", nil, "m = a, new\n"),
        ("m = a,\n  b\nx = 1\n", nil, "m = a,\n  b, new\nx = 1\n"),
        ("m = a, b\n", "b", "m = a, new, b\n"), ("m = a,\n  b\n", "b", "m = a,\n  new, b\n"),
        ("m =\n", nil, "m = new\n"), ("m=", nil, "m= new"), ("x = 1", nil, "x = 1\nm = new\n"),
        ("", nil, "m = new\n"), ("m = a,\n", nil, "m = a, new\n"),
        ("m = old\nm =\n  a # b\n# c\n", "a", "m = old\nm =\n  new, a # b\n# c\n"),
        ("m = a, new\n", nil, "m = a, new\n"), ("m = a\n", "absent", "m = a, new\n"),
    ])
    func `an item is added at its place`(_ text: String, _ next: String?, _ result: String) {
        var main = MainConfiguration(Array(text.utf8))
        main.insert("new", into: "m", before: next)
        #expect(String(decoding: main.octets, as: UTF8.self) == result)
        main.insert("new", into: "m", before: next)
        #expect(String(decoding: main.octets, as: UTF8.self) == result, "twice")
    }

    @Test(arguments: [
        ("m = a, b, c\n", "m = a, c\n"), ("m = b\n", "m =\n"), ("m = b, c\n", "m = c\n"),
        ("m = a, b\n", "m = a\n"), ("m = a,\n  b\nx = 1\n", "m = a,\nx = 1\n"),
        ("m = a,\n  # c\n  b,\n  d\n", "m = a,\n  # c\n  d\n"), ("m =\n  b\n", "m =\n"),
        ("m = b\nm = a b\n", "m = b\nm = a\n"), ("m = a\n", "m = a\n"), ("m = b,b b\n", "m =\n"),
        ("x = b\n", "x = b\n"),
    ])
    func `an item is taken out with its separators`(_ text: String, _ result: String) {
        var main = MainConfiguration(Array(text.utf8))
        main.removeItem("b", from: "m")
        #expect(String(decoding: main.octets, as: UTF8.self) == result)
    }

    @Test func `an item takes the place of another`() {
        var main = MainConfiguration(Array("m = a,\n  { inet:b, x=y } c\n".utf8))
        main.replace("{ inet:b, x=y }", with: "unix:signet/dkim.sock", in: "m")
        #expect(
            String(decoding: main.octets, as: UTF8.self)
                == "m = a,\n  unix:signet/dkim.sock c\n")
    }

    @Test func `a service is added and removed`() throws {
        let octets = try SampleFile.octets("services.master.cf")
        var master = MasterConfiguration(octets)
        master.append("inner unix n - y - - smtpd\n  -o smtpd_milters=unix:a")
        #expect(master.service("inner/unix")?.option("smtpd_milters")?.value == "unix:a")
        master.remove("inner/unix")
        #expect(master.octets == octets)
        master.remove("smtp/inet")
        let oracle = try PostconfOracle(master: octets)
        try oracle.run(["-MX", "smtp/inet"])
        let ours = try PostconfOracle(master: master.octets)
        #expect(try ours.values(["-F"]) == oracle.values(["-F"]))
    }

    @Test func `edits of arbitrary octets change nothing else`() throws {
        var random = SeededGenerator(seed: 15)
        let alphabet = Array("a=m \t\n\n#,{}$()\\\r\u{B}".utf8) + [0, 0xFF]
        for _ in 0..<3000 {
            let octets = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let before = MainConfiguration(octets)
            var main = before
            main.insert("unix:x", into: "m")
            #expect(main.setting("m")?.value.contains("unix:x") == true, "\(octets)")
            #expect(
                main.settings.filter { $0.name != "m" }.map(\.value)
                    == before.settings.filter { $0.name != "m" }.map(\.value), "\(octets)")
            main.set("m", to: "z")
            #expect(main.setting("m")?.value == "z", "\(octets)")
            main.remove("m")
            #expect(main.setting("m") == nil, "\(octets)")
            var master = MasterConfiguration(
                Array("m unix n - n - - p ".utf8) + octets.filter { $0 != 0x0B })
            master.setOption("x", of: "m/unix", to: "a b")
            #expect(master.service("m/unix")?.option("x")?.value == "a b", "\(octets)")
            let values = ParameterValues(before, defaults: ParameterDefaults(.v3_7, hostName: "h"))
            for setting in before.settings { _ = values[setting.name] }
        }
    }
}
