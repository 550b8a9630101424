"""Languages in other scripts than Latin."""

from heartline.synthetic.language import Language, words

RUSSIAN = Language(
    share=4,
    country="RU",
    nouns=words(
        "Любовь Ночь Сердце Время Жизнь Свет Дождь Луна Мечта Огонь Солнце Дорога Город Весна Зима Звезда"
        " Тишина Ветер Море Осень Ёлка Поезд Птица Снег"
    ),
    titles=(
        (24, "%s", "n"),
        (18, "%s и %s", "nn"),
        (10, "Моя %s", "n"),
        (8, "Где ты, %s?", "n"),
        (6, "Не %s", "n"),
    ),
    given=words("Виктор Земфира Борис Алла Юрий Полина Егор Нина Фёдор Ольга Пётр Анна Семён Вера"),
    family=words(
        "Соловьёв Морозова Ковалёв Зайцева Королёв Лебедева Орлов Воробьёва Журавлёв Синицына Волков"
        " Снегирёва Громов Ручьёва"
    ),
    more=words("А. Б. В. Г. Д. Е. К. Л. М. Н."),
    genres=("русский рок", "эстрада", "русский рэп"),
    syllables=words("ка ло ми ре са то ве ню бе дра но же вы лю зи го пу тё ся фа хи ща мо ру"),
)
GREEK = Language(
    share=1,
    country="GR",
    nouns=words("Αγάπη Νύχτα Καρδιά Ζωή Φως Βροχή Φεγγάρι Όνειρο Θάλασσα Ήλιος Ψυχή Άνεμος"),
    titles=((24, "%s", "n"), (16, "%s και %s", "nn"), (10, "Η %s", "n")),
    given=words("Γιώργος Ελένη Νίκος Μαρία Σπύρος Άννα Μάνος Χαρούλα"),
    family=words("Παπαδόπουλος Αλεξίου Θεοδωράκη Ξαρχάκος Βίσση Φαραντούρη Σαββόπουλος Ρέμος"),
    genres=("laïko", "entekhno"),
    syllables=words("κα λο μι ρε σα το βε νι δα φο χι θα ζω πυ γε ξα ψι μου"),
)
JAPANESE = Language(
    share=5,
    country="JP",
    nouns=words(
        "恋 夜 夢 星 空 花 雨 海 月 桜 心 光 風 涙 夏 東京 約束 青春 手紙 未来 さよなら ありがとう"
        " ラブソング メロディー ひまわり 夕焼け 花火 記憶"
    ),
    titles=(
        (24, "%s", "n"),
        (26, "%sの%s", "nn"),
        (14, "%sと%s", "nn"),
        (8, "%sのうた", "n"),
        (6, "君の%s", "n"),
        (5, "%s Love", "n"),
    ),
    is_family_first=True,
    given=words(
        "陽子 健太 美咲 大輔 さくら 翔 あゆみ 拓也 ひかる 直樹 みゆき 涼 まりや 雅之 優 玲奈"
    ),
    family=words(
        "佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤 宇多田 椎名 米津 星野 松任谷 竹内"
    ),
    more=words("バンド 楽団 カルテット トリオ オーケストラ"),
    genres=("j-pop", "city pop", "anime", "enka"),
    syllables=words(
        "綺 幻 燈 霞 蒼 緋 茜 葵 楓 椿 雫 凪 暁 宵 灯 影 夏 冬 鳥 蝶 猫 狐 龍 鈴 琴 笛 舟 橋 坂 街"
    ),
)
KOREAN = Language(
    share=3,
    country="KR",
    nouns=words(
        "사랑 밤 꿈 별 하늘 꽃 비 바다 달 봄 마음 빛 바람 눈물 여름 서울 편지 이별 첫눈 노래"
    ),
    titles=(
        (24, "%s", "n"),
        (20, "%s의 %s", "nn"),
        (12, "%s 그리고 %s", "nn"),
        (8, "나의 %s", "n"),
        (5, "%s (Love)", "n"),
    ),
    is_family_first=True,
    given=words("민수 지은 서준 유나 태형 수지 현우 은비 동률 소라 재범 예린"),
    family=words("김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황"),
    more=words("밴드 프로젝트 듀오"),
    genres=("k-pop", "k-ballad", "trot"),
    syllables=words(
        "가 나 다 라 마 바 사 아 자 하 고 노 도 로 모 보 소 오 조 호 강 산 들 길 물 불 돌 숲 늘 온"
    ),
)
CHINESE = Language(
    share=3,
    country="CN",
    nouns=words(
        "爱 夜 梦 星 天空 花 雨 海 月亮 心 光 风 眼泪 夏天 故事 远方 时光 童话 城市 回忆 青春"
    ),
    titles=(
        (24, "%s", "n"),
        (26, "%s的%s", "nn"),
        (12, "%s与%s", "nn"),
        (10, "我的%s", "n"),
        (6, "没有%s", "n"),
    ),
    is_family_first=True,
    given=words("伟 芳 杰伦 菲 学友 靓颖 健 丽君 宗盛 燕姿 力宏 依林 俊杰 惠妹 志刚 小红"),
    family=words("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 林 邓 蔡 罗"),
    more=words("乐队 组合"),
    genres=("c-pop", "mandopop", "cantopop"),
    syllables=words(
        "云 烟 霜 雪 雁 蝶 竹 松 梅 兰 菊 荷 江 湖 河 山 峰 谷 泉 溪 桥 舟 灯 影 琴 笛 剑 酒 茶 诗"
    ),
)
HINDI = Language(
    share=1,
    country="IN",
    nouns=words("प्यार रात दिल ज़िंदगी चाँद सपना बारिश सावन मन आसमान गीत तारा धूप"),
    titles=((24, "%s", "n"), (16, "%s और %s", "nn"), (12, "मेरा %s", "n"), (8, "%s की %s", "nn")),
    given=words("लता किशोर आशा मोहम्मद श्रेया अरिजीत सोनू अलका"),
    family=words("शर्मा कुमार सिंह वर्मा घोष चौहान मिश्रा गुप्ता"),
    genres=("bollywood", "ghazal"),
    syllables=words("का लो मी रे सा तो वे नू बे दा नो जा गी पू मो रा"),
)
